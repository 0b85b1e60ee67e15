// What the amount in the form would be matched with, as it changes; without this the page shows it for those offered.
const shown = document.querySelector("[data-estimate]"), form = shown?.closest("form")
let asked = 0, soon

function written({ now, most }) {
  const bound = `≤ ${most.amount}`
  return now === null ? bound : now.amount === most.amount ? now.amount : `${now.amount} (${bound})`
}

async function look() {
  const amount = form.elements.amount.value.trim(), number = ++asked
  const answer = amount && await fetch(`${shown.dataset.estimate}?amount=${encodeURIComponent(amount)}`).catch(() => null)
  const guesses = answer?.ok ? await answer.json() : []
  if (number !== asked) return
  for (const place of shown.querySelectorAll("[data-pool]")) {
    const own = place.querySelector("[data-own]"), guess = guesses.find(({ pool }) => pool === place.dataset.pool)
    own.hidden = !guess
    if (guess) own.cells[0].textContent = shown.dataset.own.replace("{0}", amount).replace("{1}", written(guess))
  }
}

form?.elements.amount.addEventListener("input", () => {
  clearTimeout(soon)
  soon = setTimeout(look, 300)
})
if (form?.elements.amount.value) look()
