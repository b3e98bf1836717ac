// What index.html does in a browser. It asks nobody for anything: data and small pictures are in the page. Whatever comes
// from file names, people's names and errors is put in as text, never as markup.
;(() => {
  const batchSize = 200
  const chunksKept = 8
  const byId = (id) => document.getElementById(id)
  const read = (element) => JSON.parse(element.textContent)
  const all = (selector) => [...document.querySelectorAll(selector)]
  const number = (value) => value.toLocaleString('en')

  const run = read(byId('run'))
  const thumbnailChunks = all('script.thumbnails')
  const images = all('script.images').flatMap(read).map(toImage)
  const parsed = new Map()
  const view = { filter: 'photos', person: undefined, text: '' }
  let listed = []
  let drawn = 0

  function toImage([name, width, height, faces, copy, code, message], index) {
    const people = [...new Set(faces.flatMap(([person]) => (person === null ? [] : [person])))]
    const text = [name, ...people, code ?? '', message ?? ''].join('\n').toLowerCase()
    return { index, name, copy: copy ?? name, width, height, faces, people, code, message, text }
  }

  const filters = {
    photos: { label: 'Photos', has: ({ code }) => !code },
    named: { label: 'People named', has: ({ people }) => people.length > 0 },
    unknown: { label: 'Unknown faces', has: ({ faces }) => faces.some(([person]) => person === null) },
    none: { label: 'No faces', has: ({ code, faces }) => !code && faces.length === 0 },
    failed: { label: 'Failed', has: ({ code }) => code !== undefined },
  }

  function element(tag, { text, className, ...attributes } = {}, ...children) {
    const made = document.createElement(tag)
    if (className) made.className = className
    if (text !== undefined) made.textContent = text
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
    made.append(...children)
    return made
  }

  /** The annotated copy, which lies beside this page. */
  const copyOf = ({ copy }) => `./${copy.split('/').map(encodeURIComponent).join('/')}`

  function thumbnailOf({ index }) {
    const chunk = Math.floor(index / run.thumbnailsPerChunk)
    let thumbnails = parsed.get(chunk)
    parsed.delete(chunk)
    thumbnails ??= thumbnailChunks[chunk] ? read(thumbnailChunks[chunk]) : []
    parsed.set(chunk, thumbnails)
    if (parsed.size > chunksKept) parsed.delete(parsed.keys().next().value)
    const found = thumbnails[index % run.thumbnailsPerChunk]
    return found ? `data:image/jpeg;base64,${found}` : undefined
  }

  // Pictures far from what is seen are let go of again: ten thousand at once are too many for a phone.
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) target.show()
        else target.hide()
      }
    },
    { rootMargin: '800px' },
  )
  const end = new IntersectionObserver(
    (entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) drawMore()
    },
    { rootMargin: '1200px' },
  )

  function photo(image) {
    const { width, height, name, people, faces } = image
    const caption = people.length > 0 ? people.join(', ') : name.split('/').at(-1)
    const others = faces.length - faces.filter(([person]) => person !== null).length
    const card = element('button', {
      type: 'button',
      className: 'photo',
      'aria-label': [name, ...people, ...(others > 0 ? [`${others} unknown`] : [])].join(', '),
    })
    card.style.setProperty('--ratio', Math.min(3, Math.max(0.5, width / height)))
    card.append(element('span', { className: people.length > 0 ? 'caption' : 'caption file', text: caption }))
    card.show = () => {
      if (card.querySelector('img')) return
      const source = thumbnailOf(image) ?? (run.copies ? copyOf(image) : undefined)
      if (!source) return
      const picture = element('img', { alt: '', decoding: 'async', src: source })
      picture.onerror = () => picture.remove()
      card.prepend(picture)
    }
    card.hide = () => card.querySelector('img')?.remove()
    card.onclick = () => open(listed.indexOf(image))
    near.observe(card)
    return card
  }

  function failure({ name, code, message }) {
    return element(
      'article',
      { className: 'failure' },
      element('div', { text: name }),
      element('div', { className: 'why', text: message }),
      element('code', { text: code }),
    )
  }

  function draw() {
    const { filter, person, text } = view
    const words = text.toLowerCase().split(/\s+/).filter(Boolean)
    const has = filters[filter].has
    listed = images.filter(
      (image) =>
        has(image) &&
        (person === undefined || image.people.includes(person)) &&
        words.every((word) => image.text.includes(word)),
    )
    drawn = 0
    near.disconnect()
    byId('grid').replaceChildren()
    const kind = filter === 'failed' ? 'failure' : 'photo'
    byId('shown').textContent =
      `${number(listed.length)} ${listed.length === 1 ? kind : `${kind}s`}${person === undefined ? '' : ` of ${person}`}`
    drawMore()
    for (const [name, button] of Object.entries(chips)) button.setAttribute('aria-pressed', String(name === filter))
    for (const [name, button] of personButtons) button.setAttribute('aria-pressed', String(name === person))
  }

  function drawMore() {
    const next = listed.slice(drawn, drawn + batchSize)
    drawn += next.length
    byId('grid').append(...next.map((image) => (image.code ? failure(image) : photo(image))))
    // An observer tells of changes only: what is still in sight is asked for again.
    end.unobserve(byId('more'))
    if (drawn < listed.length) end.observe(byId('more'))
  }

  const chips = {}
  for (const [name, { label, has }] of Object.entries(filters)) {
    const count = images.filter(has).length
    if (count === 0 && name !== 'photos') continue
    chips[name] = element(
      'button',
      { type: 'button', className: name === 'failed' ? 'bad' : '', text: label, 'data-filter': name },
      element('span', { className: 'number', text: number(count) }),
    )
    chips[name].onclick = () => {
      view.filter = name
      view.person = undefined
      draw()
      scrollTo({ top: 0 })
    }
    byId('filters').append(chips[name])
  }

  const personButtons = new Map()
  for (const [name, { count, image, box }] of peopleOf()) {
    const face = element('span', { className: 'face', 'aria-hidden': 'true', text: [...name][0] ?? '' })
    face.show = () => cropFace(face, image, box)
    face.hide = () => {}
    const shown = element('span', { className: 'name', text: name, title: name })
    const button = element(
      'button',
      { type: 'button' },
      face,
      shown,
      element('span', { className: 'number', text: number(count), 'aria-label': `${count} photos` }),
    )
    button.onclick = () => {
      view.person = view.person === name ? undefined : name
      view.filter = 'photos'
      draw()
      scrollTo({ top: 0 })
    }
    personButtons.set(name, button)
    byId('people')
      .querySelector('ul')
      .append(element('li', {}, button))
    new IntersectionObserver((entries, observer) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return
      observer.disconnect()
      face.show()
    }).observe(face)
  }
  byId('people').hidden = personButtons.size === 0

  /** Most photographed first, each with the largest face there is of them. */
  function peopleOf() {
    const people = new Map()
    for (const image of images) {
      for (const person of image.people) {
        const known = people.get(person) ?? { count: 0, size: 0 }
        known.count++
        people.set(person, known)
      }
      for (const [person, ...box] of image.faces) {
        const known = people.get(person)
        const size = Math.max(box[2], box[3])
        // In a thumbnail a face is as large as its share of the picture.
        const share = size / Math.max(image.width, image.height)
        if (known && share > known.size) Object.assign(known, { size: share, image, box })
      }
    }
    return [...people].sort(([a, one], [b, other]) => other.count - one.count || a.localeCompare(b))
  }

  function cropFace(face, image, [x, y, w, h]) {
    const source = thumbnailOf(image)
    if (!source) return
    const side = Math.min(Math.max(w, h) * 1.35, image.width, image.height)
    const at = (start, length, size) => {
      const from = Math.min(Math.max(0, start + length / 2 - side / 2), size - side)
      return size > side ? (from / (size - side)) * 100 : 0
    }
    face.textContent = ''
    face.style.backgroundImage = `url(${source})`
    face.style.backgroundSize = `${(image.width / side) * 100}% ${(image.height / side) * 100}%`
    face.style.backgroundPosition = `${at(x, w, image.width)}% ${at(y, h, image.height)}%`
  }

  const viewer = byId('viewer')
  let opened = 0

  function open(index) {
    opened = index
    const image = listed[index]
    const thumbnail = thumbnailOf(image)
    const picture = element('img', { alt: image.name, src: run.copies ? copyOf(image) : (thumbnail ?? '') })
    picture.onerror = () => {
      if (thumbnail && picture.src !== thumbnail) picture.src = thumbnail
    }
    viewer.querySelector('.stage').replaceChildren(picture)
    const who = image.faces.map(([person]) => person ?? 'unknown')
    const sure = image.faces.flatMap(([person, , , , , similarity]) =>
      person === null || similarity === null ? [] : [`${person} ${similarity.toFixed(2)}`],
    )
    const file = element('div', { className: 'file' })
    if (run.copies)
      file.append(element('a', { href: copyOf(image), target: '_blank', rel: 'noopener', text: image.name }))
    else file.textContent = image.name
    viewer
      .querySelector('figcaption')
      .replaceChildren(
        element('div', { className: 'who', text: who.length > 0 ? who.join(', ') : 'No faces' }),
        element('div', { className: 'sure', text: sure.length > 0 ? `Similarity: ${sure.join(', ')}` : '' }),
        file,
      )
    viewer.querySelector('.previous').hidden = index === 0
    viewer.querySelector('.next').hidden = index === listed.length - 1
    if (!viewer.open) viewer.showModal()
  }

  function step(by) {
    if (listed[opened + by] && !listed[opened + by].code) open(opened + by)
  }

  viewer.querySelector('.close').onclick = () => viewer.close()
  viewer.querySelector('.previous').onclick = () => step(-1)
  viewer.querySelector('.next').onclick = () => step(1)
  viewer.addEventListener('keydown', ({ key }) => {
    if (key === 'ArrowLeft') step(-1)
    if (key === 'ArrowRight') step(1)
  })

  let typing
  byId('search').addEventListener('input', ({ target }) => {
    clearTimeout(typing)
    typing = setTimeout(() => {
      view.text = target.value
      draw()
    }, 120)
  })

  const { images: total, failed, faces, people } = run
  const parts = [
    `${number(total)} ${total === 1 ? 'photo' : 'photos'}`,
    `${number(faces)} ${faces === 1 ? 'face' : 'faces'}`,
    people > 0 && `${number(people)} ${people === 1 ? 'person' : 'people'}`,
    failed > 0 && `${number(failed)} failed`,
    total + failed > images.length &&
      `the first ${number(images.length)} files are shown here, all are in predictions.jsonl`,
  ]
  byId('counts').textContent = parts.filter(Boolean).join(' · ')
  draw()
})()
