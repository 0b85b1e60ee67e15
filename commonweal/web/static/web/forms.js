// A form is sent once: its button shows that it is under way, and further presses are let fall.
addEventListener("submit", (event) => {
  const form = event.target, button = event.submitter
  if (form.method !== "post") return
  if (form.ariaBusy) return event.preventDefault()
  form.ariaBusy = "true"
  button?.setAttribute("aria-busy", "true")
})
// Back from the next page: the form may be sent again.
addEventListener("pageshow", () => {
  for (const element of document.querySelectorAll("form[aria-busy], form [aria-busy]")) element.removeAttribute("aria-busy")
})
