// The router of the offline pack: the hard filter of rules.py and the search of graph/router.py, on the arrays of one map.
// Loaded with `open(bytes)`; `find(profile, from, to)` gives a way, or the facts that stand in it. No network, no storage.
"use strict"
const RADIUS = 6371008.8, RAD = Math.PI / 180, PASS = 1, LEAVE = 2, ON_VERTEX = 0.06, SNAP = 20, NEAR = 100, COVERED = 500
const TYPES = {i1: Int8Array, i4: Int32Array}
let R, A, E, V, shapeAt // rules and words; arrays; counts of edges and vertices; arcs by vertex

async function open(packed) {
  const plain = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer()
  const size = new DataView(plain).getUint32(0, true)
  R = JSON.parse(new TextDecoder().decode(new Uint8Array(plain, 4, size)))
  A = {}
  let at = Math.ceil((4 + size) / 8) * 8
  for (const [name, type, length] of R.arrays) {
    A[name] = new TYPES[type](plain, at, length)
    at = Math.ceil((at + A[name].byteLength) / 8) * 8
  }
  E = A.e_u.length
  V = A.v_row.length
  for (const name of ["s_lat", "s_lon"]) {
    const degrees = new Float64Array(A[name].length)
    let sum = 0
    A[name].forEach((step, k) => degrees[k] = (sum += step) / 1e7)
    A[name] = degrees
  }
  A.e_shape = new Int32Array(E + 1)
  A.s_edge = new Int32Array(A.s_lat.length)
  A.e_len = new Float64Array(E)
  for (let e = 0; e < E; e++) {
    A.e_shape[e + 1] = A.e_shape[e] + A.e_size[e]
    for (let s = A.e_shape[e]; s < A.e_shape[e + 1]; s++) {
      A.s_edge[s] = e
      if (s > A.e_shape[e]) A.e_len[e] += metres(A.s_lat[s - 1], A.s_lon[s - 1], A.s_lat[s], A.s_lon[s])
    }
  }
  shapeAt = Array.from({length: V}, () => [])
  for (let e = 0; e < E; e++) { shapeAt[A.e_u[e]].push(2 * e); shapeAt[A.e_v[e]].push(2 * e + 1) }
  return R
}

function metres(lat1, lon1, lat2, lon2) {
  const half = Math.sin((lat2 - lat1) * RAD / 2) ** 2 + Math.cos(lat1 * RAD) * Math.cos(lat2 * RAD) * Math.sin((lon2 - lon1) * RAD / 2) ** 2
  return 2 * RADIUS * Math.asin(Math.sqrt(half))
}
const head = (arc) => arc & 1 ? A.e_u[arc >> 1] : A.e_v[arc >> 1]
const tail = (arc) => head(arc ^ 1)

// Rules: whether a value is beyond a limit (null: it says nothing), and whether this person goes there.
function fails(p, attribute, v, sense) {
  const worse = (order, limit) => order.indexOf(v) > order.indexOf(limit)
  switch (attribute) {
    case "access": return v === "no" || v === "closed" || (v === "private" && !p.private)
    case "wheelchair": return p.wheelchair && (v === "no" || (v === "limited" && !p.limited))
    case "escalator": return !p.escalators
    case "lift": return v === "out" || !p.lifts
    case "obstruction": return v === "blocked"
    case "door": return v === null ? null : worse(R.doors, p.doors)
    case "crossing": return v !== null ? worse(R.crossings, p.crossing) : p.crossing === R.crossings.at(-1) ? false : null
    case "steps": return p.steps >= 1000 ? false : v === null ? (p.steps ? null : true) : v > p.steps
    case "hours": return null
  }
  if (v === null) return attribute === "barrier" && p.width <= R.gap ? false : null
  if (v === "usable") return p.wheelchair ? false : null
  const up = v > p.incline_up || -v > p.incline_down, back = -v > p.incline_up || v > p.incline_down
  switch (attribute) {
    case "incline": return sense > 0 ? up : sense < 0 ? back : up || back
    case "cross_slope": return v > p.cross_slope
    case "kerb": return v > (sense > 0 ? p.kerb_up : sense < 0 ? p.kerb_down : Math.min(p.kerb_up, p.kerb_down))
    case "width": return v < p.width
    case "barrier": return typeof v === "string" ? !p.obstacles : v < p.width
    case "surface": return R.grades.indexOf(R.surfaces[v]) > R.grades.indexOf(p.surface)
    case "smoothness": return worse(R.smoothness, p.smoothness)
  }
  throw new Error(`no such attribute: ${attribute}`)
}

function admits(p, [attribute, value, doubt], sense) {
  const beyond = fails(p, attribute, value, sense)
  if (beyond) return false
  const onFoot = attribute === "barrier" && value === null
  if (beyond === false && (!doubt || onFoot)) return true
  const mode = typeof p.unknown === "string" ? p.unknown : p.unknown[attribute] ?? p.unknown.default
  return mode === "permissive" || (mode === "cautious" && !doubt)
}

// A profile on the graph: which arcs are open, and for each edge the part of the map it belongs to.
let compiled = {key: null}
function compile(p) {
  const key = JSON.stringify(p)
  if (compiled.key === key) return compiled
  const good = [-1, 0, 1].map((sense) => R.facts.map((fact) => admits(p, fact, sense)))
  const open = good.map((table) => R.rows.map((facts) => facts.every((f) => table[f])))
  const kerbs = R.rows.map((facts) => facts.every((f) => R.facts[f][0] !== "kerb" || good[1][f]))
  const flags = new Uint8Array(2 * E)
  const lying = (live, place) => (live[place] ?? []).every((f) => good[1][f])
  for (let arc = 0; arc < 2 * E; arc++) {
    const e = arc >> 1, row = A.e_row[e], vertex = tail(arc), at = A.v_row[vertex]
    if (open[arc & 1 ? 0 : 2][row] && kerbs[row] && A.e_oneway[e] !== (arc & 1 ? 1 : 2) && lying(R.live.edges, e)) flags[arc] |= PASS
    if ((at < 0 || open[1 + A.a_gate[arc]][at]) && lying(R.live.vertices, vertex)) flags[arc] |= LEAVE
  }
  const root = Int32Array.from({length: E}, (_, e) => e)
  const top = (e) => { while (root[e] !== e) e = root[e] = root[root[e]]; return e }
  const usable = (e) => (flags[2 * e] | flags[2 * e + 1]) & PASS
  for (const arcs of shapeAt) {
    if (!arcs.some((arc) => flags[arc] & LEAVE)) continue
    const joined = arcs.map((arc) => arc >> 1).filter(usable)
    for (const e of joined) root[top(e)] = top(joined[0])
  }
  const parts = Int32Array.from({length: E}, (_, e) => usable(e) ? top(e) : -1)
  return compiled = {key, flags, parts, good}
}

// Places on the graph.
function near([lat, lon]) {
  const scale = Math.cos(lat * RAD), best = new Map(), unit = RADIUS * RAD
  for (let s = 0; s + 1 < A.s_lat.length; s++) {
    const e = A.s_edge[s]
    if (e !== A.s_edge[s + 1] || Math.abs(A.s_lat[s] - lat) > 0.05) continue
    const ax = (A.s_lon[s] - lon) * scale * unit, ay = (A.s_lat[s] - lat) * unit
    const vx = (A.s_lon[s + 1] - A.s_lon[s]) * scale * unit, vy = (A.s_lat[s + 1] - A.s_lat[s]) * unit, square = vx * vx + vy * vy
    const t = square ? Math.min(1, Math.max(0, -(ax * vx + ay * vy) / square)) : 0, off = Math.hypot(ax + t * vx, ay + t * vy)
    if (off <= COVERED && off < (best.get(e)?.off ?? Infinity)) best.set(e, {edge: e, segment: s, t, off})
  }
  const sorted = [...best.values()].sort((a, b) => Math.round(1000 * a.off) - Math.round(1000 * b.off) || a.edge - b.edge)
  const most = sorted.length && Math.min(sorted[0].off + SNAP, sorted[0].off <= NEAR ? NEAR : COVERED)
  return sorted.filter((place) => place.off <= most)
}

function stand({edge, segment, t, off}, flags) {
  const first = A.e_shape[edge], last = A.e_shape[edge + 1] - 1, whole = A.e_len[edge]
  const at = (along) => {
    let s = first, gone = 0, step = 0
    while (s < last && gone + (step = metres(A.s_lat[s], A.s_lon[s], A.s_lat[s + 1], A.s_lon[s + 1])) < along && s < last - 1) { gone += step; s++ }
    const part = step ? (along - gone) / step : 0
    return {edge, along, off, segment: s, lat: A.s_lat[s] + (A.s_lat[s + 1] - A.s_lat[s]) * part, lon: A.s_lon[s] + (A.s_lon[s + 1] - A.s_lon[s]) * part}
  }
  let along = t * metres(A.s_lat[segment], A.s_lon[segment], A.s_lat[segment + 1], A.s_lon[segment + 1])
  for (let s = first; s < segment; s++) along += metres(A.s_lat[s], A.s_lon[s], A.s_lat[s + 1], A.s_lon[s + 1])
  if (along > ON_VERTEX && along < whole - ON_VERTEX) return {...at(along), vertex: -1}
  const vertex = along <= ON_VERTEX ? A.e_u[edge] : A.e_v[edge]
  if (!shapeAt[vertex].every((arc) => flags[arc] & LEAVE)) { // one may not stand there: a metre beside it
    const inset = Math.min(1, whole / 3)
    return {...at(along < whole / 2 ? inset : whole - inset), vertex: -1}
  }
  return along <= ON_VERTEX
    ? {edge, along: 0, off, segment: first, lat: A.s_lat[first], lon: A.s_lon[first], vertex}
    : {edge, along: whole, off, segment: last - 1, lat: A.s_lat[last], lon: A.s_lon[last], vertex}
}

// The cheapest way between two places (Dijkstra with a binary heap), as pieces of arcs; null if there is none.
function between(start, goal, flags, cost) {
  const both = PASS | LEAVE, whole = A.e_len[start.edge]
  let best = {total: Infinity}
  if (start.edge === goal.edge) {
    const forward = goal.along >= start.along, arc = 2 * start.edge + !forward
    const begin = forward ? start.along : whole - start.along, end = forward ? goal.along : whole - goal.along
    if (flags[arc] & PASS || begin === end) best = {total: (end - begin) * (whole ? cost[arc] / whole : 1), pieces: [{arc, begin, end}]}
  }
  const reached = new Float64Array(V).fill(Infinity), by = new Int32Array(V).fill(-1), heap = []
  const push = (key, vertex) => {
    let k = heap.push([key, vertex]) - 1
    for (let up; k && heap[up = (k - 1) >> 1][0] > key; k = up) { heap[k] = heap[up]; heap[up] = [key, vertex] }
  }
  const pop = () => {
    const first = heap[0], last = heap.pop()
    if (heap.length) {
      let k = 0
      for (let child; (child = 2 * k + 1) < heap.length; k = child) {
        if (child + 1 < heap.length && heap[child + 1][0] < heap[child][0]) child++
        if (heap[child][0] >= last[0]) break
        heap[k] = heap[child]
      }
      heap[k] = last
    }
    return first
  }
  const reach = (vertex, key, arc) => { if (key < reached[vertex]) { reached[vertex] = key; by[vertex] = arc; push(key, vertex) } }
  const setOff = new Map()
  for (const arc of [2 * start.edge, 2 * start.edge + 1]) {
    const part = arc & 1 ? start.along : whole - start.along
    if (head(arc) === start.vertex && part <= 0) { reach(start.vertex, 0, -1); setOff.set(start.vertex, -1) }
    else if (flags[arc] & PASS && (start.vertex < 0 || flags[arc] === both)) {
      const key = whole ? cost[arc] * part / whole : 0
      if (key < reached[head(arc)]) { reach(head(arc), key, -1); setOff.set(head(arc), arc) }
    }
  }
  const last = A.e_len[goal.edge], ends = new Map()
  for (const arc of [2 * goal.edge, 2 * goal.edge + 1]) {
    const part = arc & 1 ? last - goal.along : goal.along
    if (tail(arc) === goal.vertex && part <= 0) ends.set(tail(arc), {arc: -1, part, more: 0})
    else if (flags[arc] === both && !(ends.get(tail(arc))?.more <= part)) ends.set(tail(arc), {arc, part, more: last ? cost[arc] * part / last : 0})
  }
  let found = null
  while (heap.length && heap[0][0] < best.total) {
    const [key, vertex] = pop()
    if (key > reached[vertex]) continue
    const end = ends.get(vertex)
    if (end && key + end.more < best.total) { best = {total: key + end.more}; found = {vertex, end} }
    for (const arc of shapeAt[vertex]) if (flags[arc] === both) reach(head(arc), key + cost[arc], arc)
  }
  if (best.pieces || !found) return best.pieces ?? null
  const pieces = found.end.arc >= 0 ? [{arc: found.end.arc, begin: 0, end: found.end.part}] : []
  let vertex = found.vertex
  for (; by[vertex] >= 0; vertex = tail(by[vertex])) pieces.unshift({arc: by[vertex], begin: 0, end: A.e_len[by[vertex] >> 1]})
  const first = setOff.get(vertex)
  if (first >= 0) pieces.unshift({arc: first, begin: first & 1 ? whole - start.along : start.along, end: whole})
  return pieces
}

// A way for a profile: {pieces, start, goal, length}, or {reasons} that stand in it, or {uncovered: 0 or 1}.
function find(p, from, to) {
  const starts = near(from), goals = near(to)
  if (!starts.length || !goals.length) return {uncovered: starts.length ? 1 : 0}
  const {flags, parts, good} = compile(p)
  const lengths = Float64Array.from({length: 2 * E}, (_, arc) => A.e_len[arc >> 1])
  const pairs = [...new Set(starts.map(({edge}) => parts[edge]))].filter((part) => part >= 0).flatMap((part) => {
    const i = starts.findIndex(({edge}) => parts[edge] === part), j = goals.findIndex(({edge}) => parts[edge] === part)
    return j < 0 ? [] : [[starts[i].off + goals[j].off, i, j]]
  }).sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, 8)
  for (const [, i, j] of pairs) {
    const start = stand(starts[i], flags), goal = stand(goals[j], flags), pieces = between(start, goal, flags, lengths)
    const length = pieces?.reduce((sum, {begin, end}) => sum + end - begin, 0)
    if (pieces && length <= Math.min(p.length, R.longest)) return {pieces, start, goal, length}
    if (pieces) return {reasons: [], tooLong: length}
  }
  const barred = (arc) => [ // the facts that keep this person off an arc, or from leaving by it
    ...R.rows[A.e_row[arc >> 1]].filter((f) => !good[R.facts[f][0] === "kerb" ? 1 : arc & 1 ? 0 : 2][f]).map((f) => [f, A.e_day[arc >> 1]]),
    ...(R.live.edges[arc >> 1] ?? []).filter((f) => !good[1][f]).map((f) => [f, 0]),
    ...(A.v_row[tail(arc)] < 0 ? [] : R.rows[A.v_row[tail(arc)]].filter((f) => !good[1 + A.a_gate[arc]][f])).map((f) => [f, A.v_day[tail(arc)]]),
    ...(R.live.vertices[tail(arc)] ?? []).filter((f) => !good[1][f]).map((f) => [f, 0]),
  ]
  const all = Uint8Array.from({length: 2 * E}, (_, arc) => A.e_oneway[arc >> 1] === (arc & 1 ? 1 : 2) ? LEAVE : PASS | LEAVE)
  const toll = lengths.map((length, arc) => length + 1e5 * barred(arc).length)
  const least = between(stand(starts[0], all), stand(goals[0], all), all, toll) ?? []
  return {reasons: [...new Map(least.flatMap(({arc}) => barred(arc)).map((reason) => [reason.join(), reason])).values()]}
}
