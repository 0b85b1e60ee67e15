// What the amount in the form would be matched with, as it changes; without this the page shows it for those offered.
const shown = document.querySelector("[data-estimate]"), form = shown?.closest("form")
let asked = 0, soon

const money = ({ amount }) => shown.dataset.money.replace("#", amount)

function written({ now, least, most }) {
  const range = `${money(least)} – ${money(most)}`
  return now === null ? range : now.amount === most.amount ? money(now) : `${money(now)} (${range})`
}

async function look() {
  const amount = form.elements.amount.value.trim(), number = ++asked
  const answer = amount && await fetch(`${shown.dataset.estimate}?amount=${encodeURIComponent(amount)}`).catch(() => null)
  const guesses = answer?.ok ? await answer.json() : []
  if (number !== asked) return
  for (const place of shown.querySelectorAll("[data-pool]")) {
    const own = place.querySelector("[data-own]"), guess = guesses.find(({ pool }) => pool === place.dataset.pool)
    own.hidden = !guess
    if (guess) [own.cells[0].textContent, own.cells[1].textContent] = [money({ amount }), written(guess)]
  }
}

form?.elements.amount.addEventListener("input", () => {
  clearTimeout(soon)
  soon = setTimeout(look, 300)
})
if (form?.elements.amount.value) look()
