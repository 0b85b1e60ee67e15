// The map that can be moved: nothing of it is loaded before somebody presses the button, and nothing comes from elsewhere.
const COLOURS = {
  light: {land: "#eae5db", green: "#dfe8d2", square: "#ece6da", water: "#b9d3dd", buildings: "#e3ddd1", major: "#fff", street: "#fff",
    yes: "#2f7d4f", unknown: "#8a8378", no: "#b3412e", ink: "#33291f", halo: "#f6f3ec", way: "#7a3ff2"},
  dark: {land: "#1b1917", green: "#232b20", square: "#262320", water: "#1d3440", buildings: "#2b2723", major: "#4a443d", street: "#3b3630",
    yes: "#67c08b", unknown: "#8f877b", no: "#ef8a75", ink: "#eee6da", halo: "#1b1917", way: "#b79bff"},
}

function layers(c, language) {
  const name = ["coalesce", ["get", `name:${language}`], ["get", "name"]]
  const fill = (id, layer, color, filter) => ({id, type: "fill", source: "city", "source-layer": layer, paint: {"fill-color": color}, ...(filter && {filter})})
  const wide = (a, b) => ["interpolate", ["exponential", 1.6], ["zoom"], 12, a, 18, b]
  return [
    {id: "ground", type: "background", paint: {"background-color": c.land}},
    fill("green", "land", c.green, ["==", ["get", "kind"], "green"]),
    fill("square", "land", c.square, ["==", ["get", "kind"], "square"]),
    fill("water", "water", c.water, ["==", ["geometry-type"], "Polygon"]),
    {id: "stream", type: "line", source: "city", "source-layer": "water", filter: ["==", ["geometry-type"], "LineString"], paint: {"line-color": c.water, "line-width": wide(1, 6)}},
    fill("buildings", "buildings", c.buildings),
    {id: "streets", type: "line", source: "city", "source-layer": "ways", filter: ["in", ["get", "kind"], ["literal", ["major", "street"]]],
      layout: {"line-cap": "round", "line-join": "round"}, paint: {"line-color": c.street, "line-width": wide(1.5, 22)}},
    {id: "passes", type: "line", source: "city", "source-layer": "ways", minzoom: 13, layout: {"line-cap": "round"},
      paint: {"line-color": ["match", ["get", "passes"], "yes", c.yes, "no", c.no, c.unknown], "line-width": wide(0.8, 4),
        "line-dasharray": ["case", ["==", ["get", "passes"], "no"], ["literal", [1, 2]], ["literal", [1, 0]]]}},
    {id: "barriers", type: "circle", source: "city", "source-layer": "barriers", minzoom: 15, paint: {"circle-radius": 4, "circle-color": c.halo, "circle-stroke-color": c.no, "circle-stroke-width": 2}},
    {id: "way", type: "line", source: "answer", filter: ["==", ["geometry-type"], "LineString"], layout: {"line-cap": "round", "line-join": "round"}, paint: {"line-color": c.way, "line-width": 6}},
    {id: "marks", type: "circle", source: "answer", filter: ["==", ["geometry-type"], "Point"],
      paint: {"circle-radius": 7, "circle-color": ["match", ["get", "kind"], "goal", c.way, c.halo], "circle-stroke-color": ["match", ["get", "kind"], "barrier", c.no, c.way], "circle-stroke-width": 3}},
    {id: "street-names", type: "symbol", source: "city", "source-layer": "ways", minzoom: 14, filter: ["has", "name"],
      layout: {"symbol-placement": "line", "text-field": name, "text-size": 12, "text-font": ["sans-serif"]}, paint: {"text-color": c.ink, "text-halo-color": c.halo, "text-halo-width": 1.5}},
    {id: "place-names", type: "symbol", source: "city", "source-layer": "places", filter: ["has", "name"],
      layout: {"text-field": name, "text-size": ["match", ["get", "kind"], "settlement", 15, 12], "text-font": ["sans-serif"], "text-max-width": 8}, paint: {"text-color": c.ink, "text-halo-color": c.halo, "text-halo-width": 1.5}},
  ]
}

function answer({line, marks}) {
  const feature = (type, coordinates, kind) => ({type: "Feature", properties: {kind}, geometry: {type, coordinates}})
  const features = marks.map(([lon, lat, kind]) => feature("Point", [lon, lat], kind))
  return {type: "FeatureCollection", features: line.length ? [feature("LineString", line, "way"), ...features] : features}
}

const once = (tag, attributes) => new Promise((resolve, reject) => {
  document.head.append(Object.assign(document.createElement(tag), attributes, {onload: resolve, onerror: reject}))
})

async function open(figure) {
  const given = figure.dataset
  const [library] = await Promise.all([
    import(given.library), once("link", {rel: "stylesheet", href: given.style}), once("script", {src: given.archive}),
  ])
  library.setWorkerUrl(new URL(given.worker, location).href)
  library.addProtocol("pmtiles", new pmtiles.Protocol().tile)
  const data = JSON.parse(document.getElementById("map-data").textContent)
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches)
  const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en"
  const ground = figure.querySelector(".ground"), box = document.createElement("div")
  box.className = "moving"
  ground.after(box)
  const map = new library.Map({
    container: box,
    style: {
      version: 8,
      sources: {
        city: {type: "vector", url: `pmtiles://${new URL(given.tiles, location).href}`, maxzoom: 15},
        answer: {type: "geojson", data: answer(data)},
      },
      layers: layers(COLOURS[dark ? "dark" : "light"], language),
    },
    bounds: data.bounds, fitBoundsOptions: {padding: 48, maxZoom: 17}, attributionControl: false, cooperativeGestures: false,
    localIdeographFontFamily: "'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif",
  })
  map.getCanvas().setAttribute("aria-label", given.label)
  map.addControl(new library.NavigationControl({showCompass: false}))
  await new Promise((resolve, reject) => {
    map.once("idle", resolve)
    map.on("error", ({error}) => reject(error))
  })
  ground.hidden = true
  figure.dataset.shown = map.queryRenderedFeatures().length
}

for (const figure of document.querySelectorAll("figure[data-tiles]")) {
  const button = figure.querySelector("button")
  button.hidden = false
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true")
    try {
      await open(figure)
      button.remove()
    } catch (error) {
      console.warn(error)
      button.removeAttribute("aria-busy")
      figure.querySelector(".moving")?.remove()
      const status = figure.querySelector("[role=status]")
      status.textContent = status.dataset.failed
    }
  })
}
