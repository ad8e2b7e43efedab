// What the customer's pages do beyond plain forms; everything here is extra. Works without a build.
'use strict'
document.documentElement.classList.add('js')
const token = location.pathname.startsWith('/c/') ? location.pathname.split('/')[2] : ''
const LARGEST_SIDE = 2000
const SEND_MS = 60000
const LOOK_MS = 15000

const newId = () => {
  const b = crypto.getRandomValues(new Uint8Array(16))
  b[6] = (b[6] & 15) | 64
  b[8] = (b[8] & 63) | 128
  return [...b].map((n, i) => ([4, 6, 8, 10].includes(i) ? '-' : '') + n.toString(16).padStart(2, '0')).join('')
}
const say = (form, text) => {
  const line = form.querySelector('.form-error')
  line.textContent = text
  line.hidden = !text
}

// A photo from a phone is made smaller before it is sent; what the browser cannot read goes as it is.
async function smaller(file) {
  if (file.size < 600000 || !/^image\/(jpeg|png|webp|hei[cf])$/.test(file.type)) return file
  try {
    const picture = await createImageBitmap(file)
    const scale = Math.min(1, LARGEST_SIDE / Math.max(picture.width, picture.height))
    const canvas = document.createElement('canvas')
    canvas.width = picture.width * scale
    canvas.height = picture.height * scale
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height)
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.85))
    return blob && blob.size < file.size ? new File([blob], 'photo.jpg', { type: 'image/jpeg' }) : file
  } catch {
    return file
  }
}

function photoField(box) {
  const input = box.querySelector('input')
  const thumbs = box.querySelector('.thumbs')
  input.addEventListener('change', () => {
    const form = input.form
    say(form, '')
    if (input.files.length > +box.dataset.most) {
      say(form, box.dataset.tooMany)
      input.value = ''
    }
    thumbs.querySelectorAll('img').forEach((old) => URL.revokeObjectURL(old.src))
    thumbs.replaceChildren(
      ...[...input.files].map((file) => {
        const image = document.createElement('img')
        image.alt = file.name
        image.src = URL.createObjectURL(file)
        return image
      }),
    )
  })
}

function signature(box) {
  const canvas = box.querySelector('canvas')
  const pad = canvas.parentElement
  const clear = box.querySelector('[data-clear]')
  const pen = canvas.getContext('2d')
  const wipe = () => {
    const scale = 2
    canvas.width = canvas.clientWidth * scale
    canvas.height = canvas.clientHeight * scale
    pen.scale(scale, scale)
    pen.fillStyle = '#fff'
    pen.fillRect(0, 0, canvas.width, canvas.height)
    pen.lineWidth = 2.4
    pen.lineCap = pen.lineJoin = 'round'
    pen.strokeStyle = '#14213a'
    pad.classList.remove('signed')
    clear.hidden = true
    box.dataset.id = newId()
  }
  let drawing = false
  const at = (event) => [event.offsetX, event.offsetY]
  canvas.addEventListener('pointerdown', (event) => {
    if (!pad.classList.contains('signed')) wipe()
    drawing = true
    canvas.setPointerCapture(event.pointerId)
    pad.classList.add('signed')
    clear.hidden = false
    pen.beginPath()
    pen.moveTo(...at(event))
    pen.lineTo(...at(event))
    pen.stroke()
    event.preventDefault()
  })
  canvas.addEventListener('pointermove', (event) => {
    if (!drawing) return
    pen.lineTo(...at(event))
    pen.stroke()
  })
  for (const name of ['pointerup', 'pointercancel']) canvas.addEventListener(name, () => (drawing = false))
  clear.addEventListener('click', wipe)
}

async function put(kind, id, blob) {
  const reply = await fetch(`/customer/v1/photos/${id}?kind=${kind}`, {
    method: 'PUT',
    body: blob,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': blob.type || 'application/octet-stream' },
    signal: AbortSignal.timeout(SEND_MS),
  })
  if (!reply.ok) throw new Error(String(reply.status))
}

const idOf = new WeakMap()

// Photos and signature go first, one by one; the form then names them.
async function upload(form, button) {
  const ids = []
  const boxes = form.querySelectorAll('[data-upload]:not([data-upload=""])')
  for (const box of boxes) {
    const input = box.querySelector('input[type=file]')
    try {
      if (input) {
        const files = [...input.files]
        for (const [n, file] of files.entries()) {
          button.textContent = box.dataset.busy.replace('{n}', n + 1).replace('{total}', files.length)
          if (!idOf.has(file)) idOf.set(file, { id: newId(), blob: await smaller(file) })
          const { id, blob } = idOf.get(file)
          await put(box.dataset.upload, id, blob)
          ids.push(id)
        }
      } else if (box.querySelector('.signed')) {
        const blob = await new Promise((done) => box.querySelector('canvas').toBlob(done, 'image/png'))
        await put(box.dataset.upload, box.dataset.id, blob)
        ids.push(box.dataset.id)
      }
    } catch {
      throw new Error(box.dataset.failed)
    }
  }
  boxes.forEach((box) => box.querySelectorAll('input[type=file]').forEach((input) => (input.disabled = true)))
  for (const id of ids) {
    const named = document.createElement('input')
    Object.assign(named, { type: 'hidden', name: 'photo_ids', value: id })
    form.append(named)
  }
}

// The request form has no link yet: its photos travel with it, made smaller.
async function shrinkInPlace(form) {
  for (const box of form.querySelectorAll('[data-upload=""]')) {
    const input = box.querySelector('input[type=file]')
    const files = new DataTransfer()
    for (const file of input.files) files.items.add(await smaller(file))
    const bytes = [...files.files].reduce((sum, file) => sum + file.size, 0)
    if (bytes > 50 * 1024 * 1024) throw new Error(box.dataset.tooLarge)
    input.files = files.files
  }
}

let sending = false
document.addEventListener('submit', async (event) => {
  const form = event.target
  event.preventDefault()
  if (sending) return
  sending = true
  const button = form.querySelector('button:not([type])')
  const label = button.textContent
  button.disabled = true
  say(form, '')
  try {
    await upload(form, button)
    await shrinkInPlace(form)
    form.submit()
  } catch (error) {
    say(form, error.message)
    sending = false
    button.disabled = false
    button.textContent = label
  }
})
// Back from the next page: the form is whole again.
addEventListener('pageshow', (event) => event.persisted && location.reload())

function dress(root) {
  root.querySelectorAll('[data-notices]').forEach((box) => notices(box))
  root.querySelectorAll('[data-photos]').forEach(photoField)
  root.querySelectorAll('[data-signature]').forEach(signature)
  root.querySelectorAll('.stars').forEach((stars) => {
    const tell = () => {
      const chosen = stars.querySelector(':checked')
      stars.querySelector('output').textContent = chosen ? chosen.parentElement.title : ''
    }
    stars.addEventListener('change', tell)
    tell()
  })
}
dress(document)

// The ticket is looked at again every so often; nothing that is being filled in is taken away.
const page = document.querySelector('[data-ticket]')
let touched = false
if (page) {
  for (const name of ['input', 'pointerdown', 'toggle']) {
    page.addEventListener(name, (event) => (touched ||= !!event.target.closest('form, details')), true)
  }
  setInterval(look, LOOK_MS)
  document.addEventListener('visibilitychange', look)
}
async function look() {
  if (document.hidden || sending) return
  let fresh
  try {
    const reply = await fetch(location.pathname + location.search.replace(/([?&])(done|lost)=[^&]*/g, '$1'), {
      signal: AbortSignal.timeout(10000),
    })
    if (!reply.ok) return
    // Its style carries another nonce, which this page's policy would complain of.
    const text = (await reply.text()).replace(/<style[^]*?<\/style>/, '')
    fresh = new DOMParser().parseFromString(text, 'text/html').querySelector('[data-ticket]')
  } catch {
    return
  }
  const now = document.querySelector('[data-ticket]')
  if (!fresh || sending) return
  if (fresh.dataset.key === now.dataset.key || touched) {
    for (const part of fresh.querySelectorAll('[data-live]')) {
      const old = now.querySelector(`[data-live=${part.dataset.live}]`)
      if (old && old.outerHTML !== part.outerHTML) old.replaceWith(part)
    }
    if (fresh.dataset.key !== now.dataset.key) tellNews(now)
    return
  }
  now.replaceChildren(...fresh.childNodes)
  now.dataset.key = fresh.dataset.key
  dress(now)
}
function tellNews(now) {
  if (document.querySelector('.news')) return
  const bar = document.createElement('div')
  const button = document.createElement('button')
  bar.className = 'news'
  bar.setAttribute('role', 'status')
  button.textContent = now.dataset.show
  button.addEventListener('click', () => location.assign(location.pathname + location.search))
  bar.append(now.dataset.changed, button)
  document.body.append(bar)
}
