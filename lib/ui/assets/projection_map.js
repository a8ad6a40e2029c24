// Draws a map of points with WebGL 2: ten or a million of them, in one call. What it is given is one block of bytes (see
// lib/figures/projection_map.py); what it sends back is which points are selected. Streamlit calls the function at the
// end again after each run of the page; what must outlive that is kept per mounted element.
const instances = new WeakMap()
const EVENT = "marginalia-map-selection"
// The selection of each group of maps on this page, also for a map that is mounted later.
const selections = (window.marginaliaMapSelections ??= new Map())
// What the link said was selected, by group: taken over once, for afterwards the person selects.
const linked = (window.marginaliaMapLinks ??= new Map())

const FULL = 65535
const CELLS = 256 // points are sorted into 256 x 256 squares, so that the nearest is found without asking all
const MOST_LISTED = 2000 // so many rows are sent as a list, more as bits
const MOST_LABELS = 40
const ROOM = 9000 // square pixels that a name has for itself
const [APART, ABOVE] = [8, 4] // pixels between names
const REACH = 8 // pixels around the pointer in which a point is meant
const ZOOM_STEP = 1.4
const MOST_ZOOM = 2000
const DIM = 0.08 // of what is not selected while something is
const FEW = 50 // so many selected points are drawn much larger than the others
const HINT_TIME = 1600 // milliseconds
const ZOOM_KEY = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl"

const VERTEX = `#version 300 es
uniform vec2 scale, shift;
uniform float size;
in vec2 place;
in vec4 colour;
out vec4 shade;
void main() {
  gl_Position = vec4(place * scale + shift, 0.0, 1.0);
  gl_PointSize = size;
  shade = vec4(colour.rgb * colour.a, colour.a);
}`
const FRAGMENT = `#version 300 es
precision highp float;
uniform float size;
in vec4 shade;
out vec4 drawn;
void main() {
  // Small points are squares: nobody sees it, and it costs less.
  float edge = size < 4.0 ? 1.0 : clamp((0.5 - length(gl_PointCoord - 0.5)) * size, 0.0, 1.0);
  drawn = shade * edge;
}`

function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = view.getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
  let at = 4 + length
  const take = (kind, count) => {
    // A copy: a typed array has to begin at a multiple of its size, and the message is let go.
    const part = bytes.slice(at, at + count * kind.BYTES_PER_ELEMENT)
    at += part.byteLength
    return new kind(part.buffer)
  }
  const { n } = header
  const points = { header, n, places: take(Uint16Array, 2 * n), codes: take(Uint8Array, n) }
  points.opacity = header.has_opacity ? take(Uint8Array, n) : null
  points.rows = header.has_rows ? take(Uint32Array, n) : null
  points.ids = header.ids_bytes ? bytes.slice(at, at + header.ids_bytes) : null
  return points
}

function rgb(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
}

function inside(x, y, outline) {
  let odd = false
  for (let i = 0, j = outline.length - 2; i < outline.length; j = i, i += 2) {
    const y1 = outline[i + 1]
    const y2 = outline[j + 1]
    if (y1 > y !== y2 > y && x < ((outline[j] - outline[i]) * (y - y1)) / (y2 - y1) + outline[i]) odd = !odd
  }
  return odd
}

class ProjectionMap {
  constructor(root) {
    const find = (name) => root.querySelector(name)
    this.frame = find(".map")
    this.stage = find(".stage")
    this.canvas = find("canvas")
    this.path = find("path")
    this.labelBox = find(".labels")
    this.tip = find(".tip")
    this.hint = find(".hint")
    this.hint.textContent = `${ZOOM_KEY} and the wheel zoom the map; so does the wheel once it was clicked`
    this.cross = find(".cross")
    this.problem = find(".problem")
    this.legend = find(".legend")
    this.status = find(".status")
    this.clearButton = find(".clear")
    this.buttons = { pan: find(".pan"), lasso: find(".lasso") }
    this.mode = "pan"
    this.selected = null // Uint8Array by point while something is selected
    this.count = 0
    this.pointers = new Map()
    this.key = null
    this.prepare()
    this.connect(find)
  }

  // --- drawing -----------------------------------------------------------------------------------------------------

  prepare() {
    const gl = this.canvas.getContext("webgl2", { antialias: false, depth: false, premultipliedAlpha: true })
    this.gl = gl
    this.problem.hidden = gl !== null
    if (!gl) {
      this.problem.textContent =
        "This browser does not draw the map: WebGL 2 is switched off or missing. The tables below hold the same rows."
      return
    }
    const program = gl.createProgram()
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind)
      gl.shaderSource(shader, source)
      gl.compileShader(shader)
      gl.attachShader(program, shader)
    }
    gl.bindAttribLocation(program, 0, "place")
    gl.bindAttribLocation(program, 1, "colour")
    gl.linkProgram(program)
    gl.useProgram(program)
    this.uniforms = Object.fromEntries(["scale", "shift", "size"].map((n) => [n, gl.getUniformLocation(program, n)]))
    this.buffers = { places: gl.createBuffer(), colours: gl.createBuffer(), order: gl.createBuffer() }
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  }

  load(bytes) {
    const points = decode(bytes)
    const same = points.header.shape === this.points?.header.shape
    this.points = points
    if (!same) {
      this.view = { x: 0.5, y: 0.5, zoom: 1 }
      this.order = null
      this.around = null
    }
    this.lines = null
    this.canvas.setAttribute("aria-label", points.header.description)
    this.drawLegend()
    this.makeLabels()
    this.upload()
    const { group, selected } = points.header
    if (selected !== undefined && linked.get(group) !== selected) {
      linked.set(group, selected)
      selections.set(group, Uint8Array.from(atob(selected), (each) => each.charCodeAt(0)))
    }
    const shared = selections.get(group)
    if (shared) this.take(shared)
    else this.mark(new Uint8Array(points.n), 0)
  }

  upload() {
    const { gl } = this
    if (!gl || !this.points) return
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.places)
    gl.bufferData(gl.ARRAY_BUFFER, this.points.places, gl.STATIC_DRAW)
    gl.enableVertexAttribArray(0)
    gl.vertexAttribPointer(0, 2, gl.UNSIGNED_SHORT, true, 0, 0)
  }

  // Colours by point: its class, how faded it is, and whether it is selected.
  paint() {
    const { gl, points, selected } = this
    if (!gl || !points) return
    const palette = points.header.colours.map(rgb)
    const colours = new Uint8Array(4 * points.n)
    const whole = 255 * Math.min(1, Math.max(0.45, 1.1 - Math.log10(points.n + 1) / 8))
    for (let i = 0; i < points.n; i++) {
      const [red, green, blue] = palette[points.codes[i]]
      // What is selected is seen whole, what is not is hardly.
      const seen = !selected ? whole : selected[i] ? 255 : whole * DIM
      colours[4 * i] = red
      colours[4 * i + 1] = green
      colours[4 * i + 2] = blue
      colours[4 * i + 3] = (points.opacity && !selected?.[i] ? points.opacity[i] / 255 : 1) * seen
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.colours)
    gl.bufferData(gl.ARRAY_BUFFER, colours, gl.STATIC_DRAW)
    gl.enableVertexAttribArray(1)
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0)
    // What lies on what: the quiet colours, the others, then once more what is selected.
    const order = new Uint32Array(points.n + this.count)
    const quiet = new Set(points.header.quiet)
    let at = 0
    for (let i = 0; i < points.n; i++) if (quiet.has(points.codes[i])) order[at++] = i
    for (let i = 0; i < points.n; i++) if (!quiet.has(points.codes[i])) order[at++] = i
    for (let i = 0; at < order.length; i++) if (selected[i]) order[at++] = i
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.order)
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.STATIC_DRAW)
    this.redraw()
  }

  redraw() {
    if (this.frameAsked) return
    this.frameAsked = requestAnimationFrame(() => {
      this.frameAsked = 0
      this.draw()
    })
  }

  // The part of the map that is seen: its middle, and how many pixels the whole of it is wide and high.
  measure() {
    const { width, height } = this.canvas.getBoundingClientRect()
    const [spanX, spanY] = this.points.header.spans
    const unit = Math.min((width - 24) / spanX, (height - 56) / spanY) * this.view.zoom
    return { width, height, wide: unit * spanX, high: unit * spanY }
  }

  draw() {
    const { gl, points } = this
    if (!gl || !points || gl.isContextLost()) return
    const { width, height, wide, high } = this.measure()
    if (width < 2) return
    const dots = Math.min(window.devicePixelRatio || 1, 2)
    const [pixelsX, pixelsY] = [Math.round(width * dots), Math.round(height * dots)]
    if (this.canvas.width !== pixelsX || this.canvas.height !== pixelsY) {
      this.canvas.width = pixelsX
      this.canvas.height = pixelsY
    }
    gl.viewport(0, 0, pixelsX, pixelsY)
    gl.clearColor(0, 0, 0, 0)
    gl.clear(gl.COLOR_BUFFER_BIT)
    const [scaleX, scaleY] = [(2 * wide) / width, (2 * high) / height]
    gl.uniform2f(this.uniforms.scale, scaleX, scaleY)
    gl.uniform2f(this.uniforms.shift, -this.view.x * scaleX, -this.view.y * scaleY)
    const size = dots * Math.min(14, Math.max(1.4, 0.45 * Math.sqrt((width * height) / points.n) * this.view.zoom ** 0.4))
    gl.uniform1f(this.uniforms.size, size)
    gl.drawElements(gl.POINTS, points.n, gl.UNSIGNED_INT, 0)
    if (this.count) {
      // Once more on top, and larger.
      gl.uniform1f(this.uniforms.size, size + (this.count > FEW ? 2 : 5) * dots)
      gl.drawElements(gl.POINTS, this.count, gl.UNSIGNED_INT, 4 * points.n)
    }
    this.placeLabels(size / dots / 2 + 2)
    this.drawOutline()
    this.frame.dataset.drawn = points.n
    this.frame.dataset.key = points.header.key
    this.frame.dataset.zoom = this.view.zoom.toFixed(3)
  }

  // The lasso while it is drawn; then, where it lies on the map, as long as what it selected stays selected.
  drawOutline() {
    let places = this.outline
    if (!places && this.around) {
      places = []
      for (let i = 0; i < this.around.length; i += 2)
        places.push(...this.toScreen(this.around[i] / FULL, this.around[i + 1] / FULL))
    }
    this.path.setAttribute("d", places ? `M${places.join(" ")}Z` : "")
  }

  drawLegend() {
    const { legend, colours } = this.points.header
    this.legend.replaceChildren(
      ...legend.map((entry) => {
        const item = document.createElement("span")
        const mark = document.createElement("i")
        if (entry.ramp) {
          mark.className = "ramp"
          mark.style.background = `linear-gradient(to right, ${entry.ramp.join(", ")})`
          item.append(entry.low, mark, entry.high)
        } else {
          mark.style.background = colours[entry.code]
          item.append(mark, entry.name)
        }
        return item
      })
    )
  }

  makeLabels() {
    this.labels = this.points.header.labels.map(({ text, x, y }) => {
      const node = document.createElement("span")
      node.textContent = text // never innerHTML: it comes from the data
      return { node, x, y }
    })
    this.labelBox.replaceChildren(...this.labels.map(({ node }) => node))
    for (const label of this.labels) label.half = label.node.offsetWidth / 2
  }

  // Above their places by a gap in pixels, where no other lies yet.
  placeLabels(gap) {
    const taken = []
    const most = Math.min(MOST_LABELS, (this.canvas.clientWidth * this.canvas.clientHeight) / ROOM)
    this.labelBox.style.setProperty("--gap", `${gap}px`)
    for (const { node, half, x, y } of this.labels) {
      const [left, top] = this.toScreen(x, y)
      const seen = left > 0 && left < this.canvas.clientWidth && top < this.canvas.clientHeight && top > gap + 18
      // Where another name is in the way it stands to the left or the right.
      const boxes = [0, -half, half].map((shift) => [left + shift - half, top - gap - 18, left + shift + half, top - gap])
      const isFree = (box) =>
        taken.every(
          (b) => box[0] > b[2] + APART || box[2] < b[0] - APART || box[1] > b[3] + ABOVE || box[3] < b[1] - ABOVE
        )
      const box = seen && taken.length < most ? boxes.find(isFree) : undefined
      node.hidden = !box
      if (node.hidden) continue
      taken.push(box)
      node.style.left = `${(box[0] + box[2]) / 2}px`
      node.style.top = `${top}px`
    }
  }

  // --- places ------------------------------------------------------------------------------------------------------

  toScreen(x, y) {
    const { width, height, wide, high } = this.measure()
    return [width / 2 + (x - this.view.x) * wide, height / 2 - (y - this.view.y) * high]
  }

  toMap(left, top) {
    const { width, height, wide, high } = this.measure()
    return [this.view.x + (left - width / 2) / wide, this.view.y - (top - height / 2) / high]
  }

  pointerPlace(event) {
    const box = this.canvas.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }

  index() {
    const { places, n } = this.points
    const starts = new Uint32Array(CELLS * CELLS + 1)
    const cell = (i) => (places[2 * i + 1] >> 8) * CELLS + (places[2 * i] >> 8)
    for (let i = 0; i < n; i++) starts[cell(i) + 1]++
    for (let c = 0; c < CELLS * CELLS; c++) starts[c + 1] += starts[c]
    const next = starts.slice()
    this.order = new Uint32Array(n)
    for (let i = 0; i < n; i++) this.order[next[cell(i)]++] = i
    this.starts = starts
  }

  // Calls back with each point whose square touches a rectangle of the map, in units of the places.
  within(lowX, lowY, highX, highY, call) {
    if (!this.order) this.index()
    const bound = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor(value / CELLS)))
    for (let row = bound(lowY); row <= bound(highY); row++) {
      const from = this.starts[row * CELLS + bound(lowX)]
      const to = this.starts[row * CELLS + bound(highX) + 1]
      for (let at = from; at < to; at++) call(this.order[at])
    }
  }

  nearest(left, top, reach = REACH) {
    const { places } = this.points
    const { wide, high } = this.measure()
    const [x, y] = this.toMap(left, top).map((v) => v * FULL)
    const [stepX, stepY] = [wide / FULL, high / FULL]
    let best = -1
    let least = reach * reach
    this.within(x - reach / stepX, y - reach / stepY, x + reach / stepX, y + reach / stepY, (i) => {
      const far = ((places[2 * i] - x) * stepX) ** 2 + ((places[2 * i + 1] - y) * stepY) ** 2
      if (far <= least) {
        least = far
        best = i
      }
    })
    return best
  }

  zoomAt(left, top, factor) {
    const [x, y] = this.toMap(left, top)
    this.view.zoom = Math.min(MOST_ZOOM, Math.max(0.5, this.view.zoom * factor))
    const [newX, newY] = this.toMap(left, top)
    this.view.x += x - newX
    this.view.y += y - newY
    this.redraw()
  }

  zoomMiddle(factor) {
    this.zoomAt(this.canvas.clientWidth / 2, this.canvas.clientHeight / 2, factor)
  }

  move(dx, dy) {
    const { wide, high } = this.measure()
    this.view.x -= dx / wide
    this.view.y += dy / high
    this.redraw()
  }

  fit() {
    this.view = { x: 0.5, y: 0.5, zoom: 1 }
    this.redraw()
  }

  // --- what a person does ------------------------------------------------------------------------------------------

  connect(find) {
    const { canvas } = this
    this.buttons.pan.onclick = () => this.setMode("pan")
    this.buttons.lasso.onclick = () => this.setMode("lasso")
    find(".in").onclick = () => this.zoomMiddle(ZOOM_STEP)
    find(".out").onclick = () => this.zoomMiddle(1 / ZOOM_STEP)
    find(".fit").onclick = () => this.fit()
    this.clearButton.onclick = () => this.choose([])
    canvas.onpointerdown = (event) => this.press(event)
    canvas.onpointermove = (event) => this.drag(event)
    canvas.onpointerup = (event) => this.release(event)
    canvas.onpointercancel = (event) => (this.pointers.delete(event.pointerId), this.endLasso(false))
    canvas.onpointerleave = () => ((this.tip.hidden = true), this.showHint(false))
    canvas.onkeydown = (event) => this.keyed(event)
    canvas.onfocus = () => (this.cross.hidden = !canvas.matches(":focus-visible"))
    canvas.onblur = () => (this.cross.hidden = true)
    const wheel = (event) => {
      // The page scrolls over a map that nobody has gone to, and the map says how it zooms.
      const zooms = event.ctrlKey || event.metaKey || canvas.getRootNode().activeElement === canvas
      this.showHint(!zooms)
      if (!this.points || !zooms) return
      event.preventDefault()
      this.zoomAt(...this.pointerPlace(event), Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)))
    }
    canvas.addEventListener("wheel", wheel, { passive: false })
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault())
    canvas.addEventListener("webglcontextrestored", () => {
      this.prepare()
      this.upload()
      this.paint()
    })
    this.observer = new ResizeObserver(() => this.redraw())
    this.observer.observe(this.stage)
    this.hear = ({ detail }) => {
      if (detail.from !== this && detail.group === this.points?.header.group) this.take(detail.bits)
    }
    window.addEventListener(EVENT, this.hear)
  }

  showHint(shown) {
    this.hint.hidden = !shown
    clearTimeout(this.hintTimer)
    if (shown) this.hintTimer = setTimeout(() => (this.hint.hidden = true), HINT_TIME)
  }

  setMode(mode) {
    this.mode = mode
    for (const [name, button] of Object.entries(this.buttons)) button.setAttribute("aria-pressed", name === mode)
    this.canvas.classList.toggle("lassos", mode === "lasso")
  }

  press(event) {
    if (!this.points || event.button !== 0) return
    this.canvas.focus({ preventScroll: true })
    this.cross.hidden = true
    this.canvas.setPointerCapture(event.pointerId)
    const place = this.pointerPlace(event)
    this.pointers.set(event.pointerId, place)
    this.moved = 0
    this.outline = this.mode === "lasso" || event.shiftKey ? [...place] : null
    this.adds = event.ctrlKey || event.metaKey
    this.tip.hidden = true
  }

  drag(event) {
    if (!this.points) return
    const place = this.pointerPlace(event)
    const before = this.pointers.get(event.pointerId)
    if (!before) return this.hover(place)
    const [dx, dy] = [place[0] - before[0], place[1] - before[1]]
    this.moved += Math.abs(dx) + Math.abs(dy)
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, each]) => each)
      const spread = (from) => Math.hypot(from[0] - other[0], from[1] - other[1])
      this.zoomAt(...other, spread(place) / Math.max(spread(before), 1))
    } else if (this.outline) {
      const end = this.outline.length
      if (Math.hypot(place[0] - this.outline[end - 2], place[1] - this.outline[end - 1]) >= 3) {
        this.outline.push(...place)
        this.drawOutline()
      }
    } else {
      this.canvas.classList.add("dragged")
      this.move(dx, dy)
    }
    this.pointers.set(event.pointerId, place)
  }

  release(event) {
    if (!this.pointers.delete(event.pointerId)) return
    this.canvas.classList.remove("dragged")
    if (this.moved < 4) {
      const found = this.nearest(...this.pointerPlace(event))
      this.endLasso(false)
      this.choose(found < 0 ? [] : [found])
    } else {
      this.endLasso(true)
    }
  }

  endLasso(takes) {
    const { outline } = this
    this.outline = null
    this.drawOutline()
    if (!takes || !outline || outline.length < 6) return
    const edge = new Float64Array(outline.length)
    for (let i = 0; i < outline.length; i += 2) {
      const [x, y] = this.toMap(outline[i], outline[i + 1])
      edge[i] = x * FULL
      edge[i + 1] = y * FULL
    }
    const xs = edge.filter((_value, i) => i % 2 === 0)
    const ys = edge.filter((_value, i) => i % 2 === 1)
    const [lowX, highX, lowY, highY] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
    const { places } = this.points
    const found = []
    this.within(lowX, lowY, highX, highY, (i) => {
      const [x, y] = [places[2 * i], places[2 * i + 1]]
      if (x >= lowX && x <= highX && y >= lowY && y <= highY && inside(x, y, edge)) found.push(i)
    })
    this.choose(found)
    this.around = found.length ? edge : null
    this.drawOutline()
  }

  keyed(event) {
    if (!this.points || event.ctrlKey || event.metaKey || event.altKey) return
    this.cross.hidden = false
    const far = 40
    const acts = {
      ArrowLeft: () => this.move(far, 0),
      ArrowRight: () => this.move(-far, 0),
      ArrowUp: () => this.move(0, far),
      ArrowDown: () => this.move(0, -far),
      "+": () => this.zoomMiddle(ZOOM_STEP),
      "=": () => this.zoomMiddle(ZOOM_STEP),
      "-": () => this.zoomMiddle(1 / ZOOM_STEP),
      0: () => this.fit(),
      l: () => this.setMode("lasso"),
      p: () => this.setMode("pan"),
      Escape: () => this.choose([]),
      Enter: () => {
        const [left, top] = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2]
        const found = this.nearest(left, top, 60)
        if (found >= 0) this.choose([found])
      },
    }
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!act) return
    event.preventDefault()
    act()
  }

  // --- hover -------------------------------------------------------------------------------------------------------

  hover(place) {
    if (this.hoverAsked) return
    this.hoverAsked = requestAnimationFrame(async () => {
      this.hoverAsked = 0
      const found = this.nearest(...place)
      const words = found < 0 ? null : await this.nameOf(found)
      this.tip.hidden = words === null
      if (words === null) return
      this.tip.textContent = words
      const { clientWidth, clientHeight } = this.canvas
      const toLeft = place[0] > clientWidth / 2
      this.tip.style.left = toLeft ? "" : `${place[0] + 14}px`
      this.tip.style.right = toLeft ? `${clientWidth - place[0] + 14}px` : ""
      this.tip.style.top = `${Math.min(place[1] + 10, clientHeight - 34)}px`
    })
  }

  rowOf(i) {
    return this.points.rows ? this.points.rows[i] : i
  }

  async nameOf(i) {
    const { header, ids, codes } = this.points
    const entry = header.legend.find(({ code }) => code === codes[i])
    const of = entry ? ` · ${entry.name}` : ""
    if (!ids) return `Row ${this.rowOf(i) + 1}${of}`
    if (!this.lines) {
      // Kept as bytes: a million texts would take a hundred megabytes.
      const stream = new Blob([ids]).stream().pipeThrough(new DecompressionStream("deflate"))
      const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
      const ends = new Uint32Array(header.n)
      for (let at = 0, line = 0; at < bytes.length; at++) if (bytes[at] === 10) ends[line++] = at
      this.lines = { bytes, ends }
    }
    const { bytes, ends } = this.lines
    return new TextDecoder().decode(bytes.subarray(i ? ends[i - 1] + 1 : 0, ends[i])) + of
  }

  // --- selection ---------------------------------------------------------------------------------------------------

  // Selects points by their places in the list, tells the other maps of the group, and Python.
  choose(found) {
    const { header, n } = this.points
    const picked = new Uint8Array(n)
    if (this.adds && this.selected) picked.set(this.selected)
    this.adds = false
    for (const i of found) picked[i] = 1
    const bits = new Uint8Array((header.n_rows >> 3) + 1)
    let count = 0
    for (let i = 0; i < n; i++) {
      if (!picked[i]) continue
      const row = this.rowOf(i)
      bits[row >> 3] |= 1 << (row & 7)
      count++
    }
    if (count === 0 && this.count === 0) return
    selections.set(header.group, bits)
    this.mark(picked, count)
    window.dispatchEvent(new CustomEvent(EVENT, { detail: { group: header.group, bits, from: this } }))
    this.send("selection", this.message(bits, count))
  }

  // Takes over what was selected on another map of the group, by row.
  take(bits) {
    const { n } = this.points
    const picked = new Uint8Array(n)
    let count = 0
    for (let i = 0; i < n; i++) {
      const row = this.rowOf(i)
      count += picked[i] = (bits[row >> 3] >> (row & 7)) & 1
    }
    this.mark(picked, count)
  }

  mark(picked, count) {
    if (count !== this.count || picked.some((each, i) => each !== this.selected?.[i])) this.around = null
    this.count = count
    this.selected = count ? picked : null
    this.clearButton.disabled = count === 0
    const all = this.points.n.toLocaleString("en")
    this.status.textContent = count ? `${count.toLocaleString("en")} of ${all} selected` : `${all} points`
    this.frame.dataset.selected = count
    this.paint()
  }

  message(bits, count) {
    const said = { count, turn: Date.now() }
    if (count <= MOST_LISTED) {
      const rows = []
      for (let row = 0; row < this.points.header.n_rows; row++) if ((bits[row >> 3] >> (row & 7)) & 1) rows.push(row)
      return { ...said, rows }
    }
    let text = ""
    for (let at = 0; at < bits.length; at += 8192) text += String.fromCharCode(...bits.subarray(at, at + 8192))
    return { ...said, bits: btoa(text) }
  }

  update({ data, setStateValue }) {
    this.send = setStateValue
    const bytes = data instanceof Uint8Array ? data : new Uint8Array(data)
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    const { key } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)))
    if (key === this.key) return
    this.key = key
    this.load(bytes)
  }

  stop() {
    clearTimeout(this.hintTimer)
    this.observer.disconnect()
    window.removeEventListener(EVENT, this.hear)
    // A page may have few of them, and leaves them to chance otherwise.
    this.gl?.getExtension("WEBGL_lose_context")?.loseContext()
  }
}

export default function (component) {
  const root = component.parentElement
  if (!instances.has(root)) instances.set(root, new ProjectionMap(root))
  const map = instances.get(root)
  map.update(component)
  return () => {
    map.stop()
    instances.delete(root)
  }
}
