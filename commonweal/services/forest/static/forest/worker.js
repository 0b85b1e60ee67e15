// Keeps the field page and what it needs, so that it opens without a network. What is sent never passes through here.
const KEPT = "forest-field-1"

addEventListener("activate", (event) => event.waitUntil(clients.claim()))

addEventListener("fetch", (event) => {
  const { request } = event
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return
  event.respondWith((async () => {
    const kept = await caches.open(KEPT)
    try {
      const answer = await fetch(request)
      if (answer.ok) await kept.put(request, answer.clone())
      return answer
    } catch (error) {
      const known = await kept.match(request)
      if (known) return known
      throw error
    }
  })())
})
