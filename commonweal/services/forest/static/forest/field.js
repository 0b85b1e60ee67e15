// Photographs wait on this telephone until there is a network. Each is sent until it is answered; the server knows one
// that it has by its content, so sending twice is sending once.
const form = document.querySelector("form[data-queue]")
const says = form?.querySelector("[data-says]")
const WAITING = "waiting"

function store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("forest-field", 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(WAITING, { autoIncrement: true })
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const all = opening.result.transaction(WAITING, mode)
      const asked = work(all.objectStore(WAITING))
      all.oncomplete = () => { opening.result.close(); resolve(asked.result) }
      all.onerror = () => reject(all.error)
    }
  })
}

async function send() {
  const keys = await store("readonly", (shots) => shots.getAllKeys())
  const refused = []
  for (const key of keys) {
    const shot = await store("readonly", (shots) => shots.get(key))
    const body = new FormData()
    for (const [name, value] of Object.entries(shot)) body.append(name, value)
    let answer
    try {
      const token = form.querySelector("[name=csrfmiddlewaretoken]").value
      answer = await fetch(form.dataset.queue, { method: "POST", body, headers: { "X-CSRFToken": token } })
    } catch { break }
    if (answer.status >= 500 || answer.status === 401 || answer.status === 403) break // try again later
    if (!answer.ok) refused.push((await answer.json())[document.documentElement.lang.slice(0, 2)])
    await store("readwrite", (shots) => shots.delete(key))
  }
  const left = (await store("readonly", (shots) => shots.count()))
  says.textContent = refused.length ? form.dataset.refused + refused.join(" ") : left ? `${form.dataset.kept} (${left})` : keys.length ? form.dataset.sent : ""
}

async function locate() {
  says.textContent = form.dataset.fixing
  const lines = []
  for (let n = 0; n < 5; n++) {
    const fix = await new Promise((found, failed) => navigator.geolocation.getCurrentPosition(found, failed, { enableHighAccuracy: true, maximumAge: 0, timeout: 20000 })).catch(() => null)
    if (fix) lines.push(`${fix.coords.latitude.toFixed(7)}, ${fix.coords.longitude.toFixed(7)}`)
  }
  form.elements.fixes.value = lines.join("\n")
  says.textContent = ""
}

if (form && "indexedDB" in window) {
  form.querySelector("[data-tools]").hidden = false
  form.querySelector("[data-locate]").addEventListener("click", locate)
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    event.stopPropagation()
    const shot = Object.fromEntries(["plot", "species", "fixes", "taken_at"].map((name) => [name, form.elements[name].value]))
    shot.photo = form.elements.photo.files[0]
    await store("readwrite", (shots) => shots.add(shot))
    form.elements.photo.value = form.elements.fixes.value = ""
    await send()
  })
  addEventListener("online", send)
  navigator.serviceWorker?.register(form.dataset.worker)
  send()
}
