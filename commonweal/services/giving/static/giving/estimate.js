// What the amount in the form would be matched with, as it changes; without this the page shows it for those offered.
const shown = document.querySelector("[data-estimate]"), form = shown?.closest("form")
let asked = 0, soon

const money = ({ amount }) => shown.dataset.money.replace("#", amount)

function written({ now, most }) {
  const bound = `≤ ${money(most)}`
  return now === null ? bound : now.amount === most.amount ? money(now) : `${money(now)} (${bound})`
}

async function look() {
  const amount = form.elements.amount.value.trim() || form.elements.choice.value, number = ++asked
  const answer = amount && await fetch(`${shown.dataset.estimate}?amount=${encodeURIComponent(amount)}`).catch(() => null)
  const guesses = answer?.ok ? await answer.json() : []
  if (number !== asked) return
  for (const guess of guesses) {
    const place = shown.querySelector(`[data-pool="${guess.pool}"]`)
    if (!place) continue
    place.querySelector("[data-amount]").textContent = money({ amount })
    place.querySelector("[data-adds]").textContent = written(guess)
  }
}

form?.addEventListener("input", () => {
  clearTimeout(soon)
  soon = setTimeout(look, 300)
})
if (form?.elements.amount.value) look()
