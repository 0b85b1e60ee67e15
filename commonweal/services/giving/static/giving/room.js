// The control room's figures as they change; without this the page is loaded again for them.
const room = document.querySelector("[data-stream]");

if (room) {
  new EventSource(room.dataset.stream).addEventListener("room", (event) => {
    const said = JSON.parse(event.data);
    for (const place of room.querySelectorAll("[data-figure]")) {
      const value = said[place.dataset.figure];
      if (value !== undefined && place.textContent !== value) place.textContent = value;
    }
  });
}
