// A receipt that is being sealed looks again by itself until its proof is there; without this there is a link for it.
const waiting = document.querySelector("[data-waiting]");
let looks = 0;

async function look() {
  const page = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (page.ok && !(await page.text()).includes("data-waiting")) location.reload();
  else if (++looks < 20) setTimeout(look, 400);
}

if (waiting) setTimeout(look, 400);
