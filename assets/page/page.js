// What index.html does in a browser. It asks nobody for anything: data and small pictures are in the page. Whatever comes
// from file names, people's names and errors is put in as text, never as markup.
;(() => {
  const batchSize = 200
  const chunksKept = 8
  const byId = (id) => document.getElementById(id)
  const read = (element) => JSON.parse(element.textContent)
  const all = (selector) => [...document.querySelectorAll(selector)]
  const number = (value) => value.toLocaleString('en')
  const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`

  const run = read(byId('run'))
  const kind = {
    faces: {
      title: 'People',
      search: 'names',
      none: 'No faces',
      sure: 'Similarity',
      counts: ({ found, names }) => [plural(found, 'face'), names > 0 && plural(names, 'person', 'people')],
      filters: {
        named: { label: 'People named', has: ({ names }) => names.length > 0 },
        unknown: { label: 'Unknown faces', has: ({ found }) => found.some(([name]) => name === null) },
      },
    },
    objects: {
      title: 'Objects',
      search: 'labels',
      none: 'No objects',
      sure: 'Score',
      boxes: true,
      counts: ({ found, names }) => [plural(found, 'object'), names > 0 && plural(names, 'label')],
    },
    classify: {
      title: 'Labels',
      search: 'labels',
      none: 'No labels',
      sure: 'Score',
      ofWhole: true,
      counts: ({ names }) => [plural(names, 'label')],
    },
  }[run.kind]
  const thumbnailChunks = all('script.thumbnails')
  const images = all('script.images').flatMap(read).map(toImage)
  const parsed = new Map()
  const view = { filter: 'photos', name: undefined, text: '' }
  let listed = []
  let drawn = 0

  /** A picture is listed under the names of all that is on it, or under the likeliest of the labels it has as a whole. */
  function toImage([name, width, height, found, copy, code, message], index) {
    const told = [...new Set(found.flatMap(([who]) => (who === null ? [] : [who])))]
    const names = kind.ofWhole ? told.slice(0, 1) : told
    const text = [name, ...told, code ?? '', message ?? ''].join('\n').toLowerCase()
    return { index, name, copy: copy ?? name, width, height, found, names, code, message, text }
  }

  const filters = {
    photos: { label: 'Photos', has: ({ code }) => !code },
    ...kind.filters,
    none: { label: kind.none, has: ({ code, found }) => !code && found.length === 0 },
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

  /** Names, and where there are several of one, how many: `bus`, `3 × person`. */
  function tally({ names, found }) {
    return names.map((name) => {
      const count = found.filter(([each]) => each === name).length
      return count > 1 ? `${number(count)} × ${name}` : name
    })
  }

  /** Frames around objects, where the picture shows none: those of the label that is looked at, or all. */
  function boxesOn({ width, height, found }, fit) {
    const svg = (tag, attributes) => {
      const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
      return made
    }
    const drawing = svg('svg', {
      class: 'boxes',
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: `xMidYMid ${fit}`,
      'aria-hidden': 'true',
    })
    const looked = found.filter(([name]) => view.name === undefined || name === view.name)
    drawing.append(...looked.map(([, x, y, w, h]) => svg('rect', { x, y, width: w, height: h })))
    return drawing
  }

  function photo(image) {
    const { width, height, name, names, found } = image
    const told = tally(image)
    const caption = names.length > 0 ? told.join(', ') : name.split('/').at(-1)
    const others = found.filter(([who]) => who === null).length
    const card = element('button', {
      type: 'button',
      className: 'photo',
      'aria-label': [name, ...told, ...(others > 0 ? [`${others} unknown`] : [])].join(', '),
    })
    card.style.setProperty('--ratio', Math.min(3, Math.max(0.5, width / height)))
    card.append(element('span', { className: names.length > 0 ? 'caption' : 'caption file', text: caption }))
    card.show = () => {
      if (card.querySelector('img')) return
      const thumbnail = thumbnailOf(image)
      const source = thumbnail ?? (run.copies ? copyOf(image) : undefined)
      if (!source) return
      const picture = element('img', { alt: '', decoding: 'async', src: source })
      picture.onerror = () => picture.remove()
      card.prepend(picture)
      if (kind.boxes && thumbnail) picture.after(boxesOn(image, 'slice'))
    }
    card.hide = () => {
      for (const shown of card.querySelectorAll('img, .boxes')) shown.remove()
    }
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
    const { filter, name: looked, text } = view
    const words = text.toLowerCase().split(/\s+/).filter(Boolean)
    const has = filters[filter].has
    listed = images.filter(
      (image) =>
        has(image) &&
        (looked === undefined || image.names.includes(looked)) &&
        words.every((word) => image.text.includes(word)),
    )
    drawn = 0
    near.disconnect()
    byId('grid').replaceChildren()
    const shown = plural(listed.length, filter === 'failed' ? 'failure' : 'photo')
    byId('shown').textContent = looked === undefined ? shown : `${shown} of ${looked}`
    drawMore()
    for (const [name, button] of Object.entries(chips)) button.setAttribute('aria-pressed', String(name === filter))
    for (const [name, button] of nameButtons) button.setAttribute('aria-pressed', String(name === looked))
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
      view.name = undefined
      draw()
      scrollTo({ top: 0 })
    }
    byId('filters').append(chips[name])
  }

  const nameButtons = new Map()
  for (const [name, { count, image, box }] of namesOf()) {
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
      view.name = view.name === name ? undefined : name
      view.filter = 'photos'
      draw()
      scrollTo({ top: 0 })
    }
    nameButtons.set(name, button)
    byId('names')
      .querySelector('ul')
      .append(element('li', {}, button))
    new IntersectionObserver((entries, observer) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return
      observer.disconnect()
      face.show()
    }).observe(face)
  }
  byId('names').querySelector('h2').textContent = kind.title
  byId('names').setAttribute('aria-label', kind.title)
  byId('names').hidden = nameButtons.size === 0

  /** Most photographed first, each with the largest face or object there is of that name. */
  function namesOf() {
    const names = new Map()
    for (const image of images) {
      for (const name of image.names) {
        const known = names.get(name) ?? { count: 0, size: 0 }
        known.count++
        names.set(name, known)
      }
      for (const [name, ...box] of image.found) {
        const known = image.names.includes(name) && names.get(name)
        const size = Math.max(box[2], box[3])
        // In a thumbnail a face is as large as its share of the picture.
        const share = size / Math.max(image.width, image.height)
        if (known && share > known.size) Object.assign(known, { size: share, image, box })
      }
    }
    return [...names].sort(([a, one], [b, other]) => other.count - one.count || a.localeCompare(b))
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
      if (!thumbnail || picture.src === thumbnail) return
      picture.src = thumbnail
      showBoxes()
    }
    const stage = viewer.querySelector('.stage')
    stage.replaceChildren(picture)
    const showBoxes = () => kind.boxes && stage.append(boxesOn(image, 'meet'))
    if (!run.copies) showBoxes()
    const who = run.kind === 'faces' ? image.found.map(([name]) => name ?? 'unknown') : tally(image)
    const sure = image.found.flatMap(([name, , , , , value]) =>
      name === null || value === null ? [] : [`${name} ${value.toFixed(2)}`],
    )
    const file = element('div', { className: 'file' })
    if (run.copies)
      file.append(element('a', { href: copyOf(image), target: '_blank', rel: 'noopener', text: image.name }))
    else file.textContent = image.name
    viewer
      .querySelector('figcaption')
      .replaceChildren(
        element('div', { className: 'who', text: who.length > 0 ? who.join(', ') : kind.none }),
        element('div', { className: 'sure', text: sure.length > 0 ? `${kind.sure}: ${sure.join(', ')}` : '' }),
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

  byId('search').setAttribute('placeholder', `Search ${kind.search}, files, errors`)
  byId('search').setAttribute('aria-label', `Search ${kind.search}, files and errors`)
  let typing
  byId('search').addEventListener('input', ({ target }) => {
    clearTimeout(typing)
    typing = setTimeout(() => {
      view.text = target.value
      draw()
    }, 120)
  })

  const { images: total, failed } = run
  const parts = [
    plural(total, 'photo'),
    ...kind.counts(run),
    failed > 0 && `${number(failed)} failed`,
    total + failed > images.length &&
      `the first ${number(images.length)} files are shown here, all are in predictions.jsonl`,
  ]
  byId('counts').textContent = parts.filter(Boolean).join(' · ')
  if (run.models.length > 0) byId('models').textContent = `by ${run.models.join(', ')}`
  draw()
})()
