// Sends files to the streaming route one after the other, shows how far each is, and tells Python only which are
// complete. Streamlit calls the function below again with new data after each run of the page; what must outlive
// that is kept per mounted element.
const instances = new WeakMap()

function formatSize(bytes) {
  if (bytes < 1000) return `${bytes} bytes`
  let unit = "bytes"
  for (unit of ["kB", "MB", "GB"]) {
    bytes /= 1000
    if (bytes < 999.5) break
  }
  return `${bytes < 999.5 ? Number(bytes.toPrecision(3)) : Math.round(bytes)} ${unit}`
}

function element(kind, className, text) {
  const made = document.createElement(kind)
  made.className = className
  made.textContent = text // never innerHTML: names come from outside
  return made
}

class Uploader {
  constructor(root) {
    this.zone = root.querySelector(".zone")
    this.title = root.querySelector("#title")
    this.hint = root.querySelector(".hint")
    this.button = root.querySelector(".choose")
    this.input = root.querySelector("input")
    this.list = root.querySelector(".files")
    this.alert = root.querySelector(".error")
    this.status = root.querySelector(".spoken")
    this.rows = new Map() // upload id -> list item, for what Python holds
    this.queue = []
    this.running = null
    this.waiting = null // an upload that waits for a token
    this.tokens = []
    this.used = new Set()
    this.completed = []
    this.unreported = false
    this.connect()
  }

  connect() {
    this.button.onclick = () => this.input.click()
    this.input.onchange = () => {
      this.add([...this.input.files])
      this.input.value = "" // so that the same file can be chosen again
    }
    let depth = 0
    const over = (change) => {
      depth = change === 0 ? 0 : depth + change
      this.zone.classList.toggle("over", depth > 0)
    }
    this.zone.ondragenter = (event) => (event.preventDefault(), over(1))
    this.zone.ondragover = (event) => event.preventDefault()
    this.zone.ondragleave = () => over(-1)
    this.zone.ondrop = (event) => {
      event.preventDefault()
      over(0)
      this.add([...event.dataTransfer.files])
    }
  }

  update({ data, setTriggerValue }) {
    this.data = data
    this.send = setTriggerValue
    this.button.textContent = data.label
    this.hint.textContent = `${data.hint} · up to ${formatSize(data.max_bytes)} each`
    this.tokens = data.tokens.filter((token) => !this.used.has(token))
    const held = new Set(data.files.map((file) => file.id))
    for (const [id, row] of this.rows) {
      if (!held.has(id)) {
        row.remove()
        this.rows.delete(id)
      }
    }
    for (const file of data.files) {
      if (!this.rows.has(file.id)) this.rows.set(file.id, this.row(file.name, file.size))
      this.finishRow(this.rows.get(file.id), file)
    }
    if (this.waiting && this.tokens.length) {
      const upload = this.waiting
      this.waiting = null
      this.start(upload)
    }
  }

  row(name, size) {
    const item = element("li", "", "")
    const label = element("span", "name", name)
    label.title = name
    item.append(label, element("span", "size", formatSize(size)), element("button", "", "Cancel"))
    item.querySelector("button").type = "button"
    this.list.append(item)
    return item
  }

  finishRow(item, file) {
    item.querySelector("progress")?.remove()
    item.querySelector(".size").textContent = formatSize(file.size)
    const button = item.querySelector("button")
    button.textContent = "Remove"
    button.setAttribute("aria-label", `Remove ${file.name}`)
    button.onclick = () => {
      button.disabled = true
      this.completed = this.completed.filter((id) => id !== file.id)
      this.send("removed", [file.id])
      this.button.focus()
    }
  }

  add(files) {
    this.alert.hidden = true
    for (const file of files) {
      if (file.size > this.data.max_bytes) {
        this.fail(`${file.name} is larger than ${formatSize(this.data.max_bytes)}, the most that one upload may have here.`)
        continue
      }
      const upload = { file, item: this.row(file.name, file.size), retried: false }
      const progress = element("progress", "", "")
      progress.max = 100
      progress.value = 0
      progress.setAttribute("aria-label", `Uploading ${file.name}`)
      upload.item.append(progress)
      const cancel = upload.item.querySelector("button")
      cancel.setAttribute("aria-label", `Cancel ${file.name}`)
      cancel.onclick = () => this.cancel(upload)
      this.queue.push(upload)
    }
    this.next()
  }

  next() {
    if (this.running || this.waiting) return
    const upload = this.queue.shift()
    if (upload) this.start(upload)
    else if (this.unreported) {
      this.unreported = false
      this.send("completed", [...this.completed])
    }
  }

  start(upload) {
    const token = this.tokens.shift()
    if (!token) {
      this.waiting = upload
      this.send("refresh", Date.now())
      return
    }
    this.used.add(token)
    const request = new XMLHttpRequest()
    this.running = upload
    upload.request = request
    request.open("POST", this.data.url)
    request.setRequestHeader("X-Upload-Token", token)
    request.setRequestHeader("X-Upload-Name", encodeURIComponent(upload.file.name.toWellFormed?.() ?? upload.file.name))
    request.setRequestHeader("Content-Type", "application/octet-stream")
    request.upload.onprogress = (event) => this.progress(upload, event.loaded)
    request.onload = () => this.answered(upload, request)
    request.onerror = () => {
      this.drop(upload)
      this.fail(`${upload.file.name} could not be uploaded: the connection to the server broke, or the file changed while it was read. Try again.`)
    }
    request.send(upload.file)
  }

  progress(upload, loaded) {
    const share = upload.file.size ? Math.floor((100 * loaded) / upload.file.size) : 100
    // 100 % is what the server has confirmed, not what has left the browser.
    const percent = Math.min(share, 99)
    upload.item.querySelector("progress").value = percent
    upload.item.querySelector(".size").textContent = `${percent} % of ${formatSize(upload.file.size)}`
    if (percent >= (upload.spoken ?? 0) + 25) {
      upload.spoken = percent
      this.status.textContent = `${upload.file.name}: ${percent} %`
    }
  }

  answered(upload, request) {
    let answer = {}
    try {
      answer = JSON.parse(request.responseText)
    } catch {
      answer = { error: `${upload.file.name} could not be uploaded: the server answered ${request.status}.` }
    }
    if (answer.next_token && !this.tokens.includes(answer.next_token)) this.tokens.push(answer.next_token)
    if (answer.retry && !upload.retried) {
      // The page lay open for longer than its tokens live: all of them are stale, so ask for new ones.
      upload.retried = true
      this.running = null
      this.tokens = []
      this.start(upload)
      return
    }
    if (request.status !== 200) {
      this.drop(upload)
      this.fail(answer.error ?? `${upload.file.name} could not be uploaded: the server answered ${request.status}.`)
      return
    }
    this.running = null
    this.rows.set(answer.id, upload.item)
    this.finishRow(upload.item, answer)
    this.status.textContent = `${answer.name}: uploaded`
    this.completed.push(answer.id)
    this.unreported = true
    this.next()
  }

  cancel(upload) {
    upload.request?.abort()
    this.status.textContent = `${upload.file.name}: cancelled`
    this.button.focus()
    this.drop(upload)
  }

  drop(upload) {
    upload.item.remove()
    this.queue = this.queue.filter((other) => other !== upload)
    if (this.waiting === upload) this.waiting = null
    if (this.running === upload) this.running = null
    this.next()
  }

  fail(sentence) {
    this.alert.textContent = this.alert.hidden ? sentence : `${this.alert.textContent} ${sentence}`
    this.alert.hidden = false
  }

  stop() {
    this.queue = []
    this.running?.request?.abort()
  }
}

export default function (component) {
  const root = component.parentElement
  if (!instances.has(root)) instances.set(root, new Uploader(root))
  const uploader = instances.get(root)
  uploader.update(component)
  return () => {
    uploader.stop()
    instances.delete(root)
  }
}
