// The page of the offline pack: asks, answers in words, and draws. Everything it shows is inside this file.
"use strict"
const $ = (id) => document.getElementById(id)
let zh = !navigator.language || navigator.language.startsWith("zh")
const T = (en, chinese) => zh ? chinese : en
const pick = ([en, chinese]) => T(en, chinese)
const OLD_DAYS = 30
const MODES = {strict: ["only where all is known", "只走资料齐全的路"], cautious: ["nothing that is in doubt", "避开存疑的地方"], permissive: ["also what is in doubt", "存疑的地方也走"]}
const LIMITS = {
  incline_up: ["Steepest slope up, %", "最大上坡（%）"], incline_down: ["Steepest slope down, %", "最大下坡（%）"], kerb_up: ["Highest kerb up, cm", "可上的路缘石（厘米）"],
  kerb_down: ["Highest kerb down, cm", "可下的路缘石（厘米）"], width: ["Width that I need, cm", "所需宽度（厘米）"], steps: ["Most steps", "台阶级数"],
}
const element = (tag, text, attributes = {}) => Object.assign(document.createElement(tag), attributes, text === undefined ? {} : {textContent: text})
const day = (days) => days > 0 ? new Date(days * 864e5).toISOString().slice(0, 10) : R.map.dated

function say() { // everything that has two languages, anew
  document.documentElement.lang = zh ? "zh-Hans" : "en"
  $("language").textContent = zh ? "English" : "中文"
  $("language").lang = zh ? "en" : "zh-Hans"
  for (const one of document.querySelectorAll("[data-en]")) one.textContent = T(one.dataset.en, one.dataset.zh)
  document.title = $("title").textContent = T(`Step-free map of ${R.map.name}`, `${R.map.name}无障碍地图`)
  const age = Math.floor((Date.now() - Date.parse(R.map.made)) / 864e5)
  $("age").className = age > OLD_DAYS ? "old" : "quiet"
  $("age").textContent = T(`Map of ${R.map.dated}; barriers as told by ${R.map.made.slice(0, 16).replace("T", " ")} UTC, ${age} days ago. `, `地图数据：${R.map.dated}；障碍信息截至 ${R.map.made.slice(0, 16).replace("T", " ")}（UTC），距今 ${age} 天。`)
    + (age > OLD_DAYS ? T("That is old: fetch a new one.", "数据较旧，请重新下载。") : "")
  const form = $("question"), chosen = form.profile.value || "manual", mode = form.unknown.value || "cautious"
  form.profile.replaceChildren(...Object.entries(R.profiles).map(([name, {title}]) => element("option", pick(title), {value: name})))
  form.unknown.replaceChildren(...Object.entries(MODES).map(([name, title]) => element("option", pick(title), {value: name})))
  form.profile.value = chosen
  form.unknown.value = mode
  limits()
  $("places").replaceChildren(...R.places.filter(({name}) => name).map(({name}) => element("option", undefined, {value: name})))
  $("barriers-title").textContent = T(`${R.barriers.length} barriers that people or authorities have told of`, `${R.barriers.length} 处上报或公告的障碍`)
  $("barriers").replaceChildren(...R.barriers.map(({said, date, lat, lon}) => element("li", `${pick(said)} (${date}; ${lat.toFixed(5)}, ${lon.toFixed(5)})`)))
  $("places-title").textContent = T(`${R.places.length} places, and how one gets in`, `${R.places.length} 个地点与出入条件`)
  $("places-list").replaceChildren(...R.places.slice(0, 2000).map(({name, kind, access}) => element("li", `${name || pick(kind)} (${pick(kind)}): ${pick(access)}`)))
  $("source").textContent = `${R.map.licence}${R.map.approval ? T(" · Map approval number: ", " · 审图号：") + R.map.approval : ""} · ${R.map.build.slice(0, 12)}`
}

function limits() {
  const profile = R.profiles[$("question").profile.value]
  $("limits").replaceChildren(...Object.entries(LIMITS).map(([name, title]) => {
    const label = element("label", pick(title))
    label.append(element("input", undefined, {name, type: "number", min: 0, max: 1000, step: "any", value: profile[name]}))
    return label
  }))
}

function place(text) { // latitude and longitude, or the name of a place
  const numbers = text.match(/^\s*(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)\s*$/)
  if (numbers) return [Number(numbers[1]), Number(numbers[2])]
  const wanted = text.trim().toLowerCase(), named = R.places.filter(({name}) => name)
  const found = named.find(({name}) => name.toLowerCase() === wanted) ?? named.find(({name}) => wanted && name.toLowerCase().includes(wanted))
  return found ? [found.lat, found.lon] : null
}

function bearing(arc, leaving = true) { // of an arc where it leaves its tail
  const first = A.e_shape[arc >> 1], last = A.e_shape[(arc >> 1) + 1] - 1, [i, j] = arc & 1 ? [last, last - 1] : [first, first + 1]
  const east = (A.s_lon[j] - A.s_lon[i]) * Math.cos((A.s_lat[i] + A.s_lat[j]) / 2 * RAD)
  return (Math.atan2(east, A.s_lat[j] - A.s_lat[i]) / RAD + (leaving ? 360 : 180)) % 360
}

function street(arc) {
  const label = R.labels[A.e_label[arc >> 1]], name = R.names[A.e_name[arc >> 1]], said = label[2 * (arc & 1) + (zh ? 1 : 0)]
  return name ? T(`${name} (${said})`, `${name}（${said}）`) : said
}

function steps({pieces, goal}) {
  const lines = [T(`Set off along ${street(pieces[0].arc)}, bearing ${Math.round(bearing(pieces[0].arc))}°`, `从${street(pieces[0].arc)}出发，方位 ${Math.round(bearing(pieces[0].arc))}°`)]
  let gone = 0
  pieces.forEach(({arc, begin, end}, k) => {
    gone += end - begin
    const next = pieces[k + 1]?.arc
    if (next === undefined) return
    const heading = bearing(arc ^ 1) + 180, vertex = head(arc), turn = (bearing(next) - heading + 720) % 360, bend = Math.min(turn, 360 - turn)
    const clear = shapeAt[vertex].every((other) => {
      const angle = (bearing(other) - heading + 720) % 360
      return other === next || other === (arc ^ 1) || Math.min(angle, 360 - angle) >= bend + R.clear
    })
    const met = (A.v_row[vertex] < 0 ? [] : R.rows[A.v_row[vertex]]).filter((f) => ["kerb", "barrier", "door", "steps", "lift"].includes(R.facts[f][0])).map((f) => pick(R.said[f]))
    if (clear && !met.length && street(next) === street(arc)) return
    const hour = Math.round(turn / 30) % 12 || 12
    const words = [clear ? T("straight on", "直行") : T(`turn to ${hour} o'clock`, `转向${hour}点钟方向`), ...met, T(`along ${street(next)}`, `走${street(next)}`)]
    lines.push(T(`After ${Math.round(gone)} m: `, `${Math.round(gone)}米后：`) + words.join(T("; ", "；")))
    gone = 0
  })
  lines.push(T(`After ${Math.round(gone)} m: you have arrived`, `${Math.round(gone)}米后：到达`) + (goal.off >= 2 ? T(`; the place is ${Math.round(goal.off)} m beside the street`, `；目的地在路旁${Math.round(goal.off)}米`) : ""))
  return lines
}

function line({pieces, start, goal}) {
  const points = [[start.lat, start.lon]]
  for (const {arc, begin, end} of pieces) {
    const first = A.e_shape[arc >> 1], last = A.e_shape[(arc >> 1) + 1] - 1, run = []
    let along = 0
    for (let k = 0; k <= last - first; k++) {
      const s = arc & 1 ? last - k : first + k, before = arc & 1 ? s + 1 : s - 1
      if (k) along += metres(A.s_lat[before], A.s_lon[before], A.s_lat[s], A.s_lon[s])
      if (along >= begin && along <= end) run.push([A.s_lat[s], A.s_lon[s]])
    }
    points.push(...run)
  }
  return [...points, [goal.lat, goal.lon]]
}

function draw(points) {
  const lats = points.map(([lat]) => lat), lons = points.map(([, lon]) => lon), shrink = Math.cos(lats[0] * RAD)
  const middle = [(Math.min(...lats) + Math.max(...lats)) / 2, (Math.min(...lons) + Math.max(...lons)) / 2]
  const size = Math.max(Math.max(...lats) - Math.min(...lats), (Math.max(...lons) - Math.min(...lons)) * shrink, 0.002) * 1.15
  const at = (lat, lon) => `${((lon - middle[1]) * shrink / size * 640 + 320).toFixed()} ${((middle[0] - lat) / size * 640 + 320).toFixed()}`
  const inside = (s) => Math.abs(A.s_lat[s] - middle[0]) < size / 2 && Math.abs(A.s_lon[s] - middle[1]) * shrink < size / 2
  let streets = ""
  for (let s = 0; s + 1 < A.s_lat.length; s++)
    if (A.s_edge[s] === A.s_edge[s + 1] && inside(s) && inside(s + 1)) streets += `M${at(A.s_lat[s], A.s_lon[s])}L${at(A.s_lat[s + 1], A.s_lon[s + 1])}`
  const [x, y] = at(...points.at(-1)).split(" ")
  const holder = element("div")
  holder.innerHTML = `<svg viewBox="0 0 640 640" role="img"><path d="${streets}"/><path class="way" d="M${points.map((point) => at(...point)).join("L")}"/><circle cx="${x}" cy="${y}" r="8"/></svg>`
  holder.firstChild.setAttribute("aria-label", T("The way on the map; the words say the same", "路线图；文字内容相同"))
  return holder.firstChild
}

function answer() {
  const form = $("question"), ends = [place(form.from.value), place(form.to.value)], out = $("answer")
  const told = (...parts) => out.replaceChildren(...parts)
  const unknown = ends.findIndex((end) => !end)
  if (unknown >= 0) return told(element("p", T(`No such place: ${[form.from.value, form.to.value][unknown]}`, `没有这个地点：${[form.from.value, form.to.value][unknown]}`), {role: "alert"}))
  const profile = {...R.profiles[form.profile.value], unknown: form.unknown.value}
  delete profile.title
  for (const name of Object.keys(LIMITS)) if (Number.isFinite(form[name].valueAsNumber)) profile[name] = form[name].valueAsNumber
  const found = find(profile, ...ends)
  if (found.uncovered !== undefined) return told(element("p", T("One of these places is not on this map.", "其中一个地点不在本地图范围内。"), {role: "alert"}))
  if (!found.pieces) {
    const list = element("ul")
    list.append(...found.reasons.map(([fact, days]) => element("li", `${pick(R.said[fact])} (${day(days)})`)))
    return told(element("h2", T("No way for you", "没有适合您的路线")), element("p", found.tooLong ? T(`It would be ${Math.round(found.tooLong)} m, longer than planned for.`, `路程 ${Math.round(found.tooLong)} 米，超过上限。`) : T("In the way:", "阻碍：")), list)
  }
  const list = element("ol")
  list.append(...steps(found).map((text) => element("li", text)))
  const minutes = Math.round(found.length / (profile.speed / 3.6) / 60)
  told(element("h2", T(`${(found.length / 1000).toFixed(2)} km, about ${minutes} minutes`, `${(found.length / 1000).toFixed(2)} 公里，约 ${minutes} 分钟`)), list, draw(line(found)))
}

addEventListener("load", async () => {
  const packed = Uint8Array.from(atob($("data").textContent), (c) => c.charCodeAt(0))
  await open(packed)
  say()
  $("language").addEventListener("click", () => { zh = !zh; say(); if ($("answer").childElementCount) answer() })
  $("question").profile.addEventListener("change", limits)
  $("question").addEventListener("submit", (event) => { event.preventDefault(); answer() })
  document.documentElement.dataset.ready = "true"
})
