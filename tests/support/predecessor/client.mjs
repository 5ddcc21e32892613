// The calls of a client that was written for the predecessor: `node client.mjs URL KEY OWNER VIDEO`.
// It knows only the predecessor's routes and answers, and prints what it got as one JSON document.

const [url, key, owner, video] = process.argv.slice(2)
const protectedHeaders = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }

const call = async (path, options = {}) => {
  const answer = await fetch(`${url}${path}`, options)
  return { ok: answer.ok, status: answer.status, type: answer.headers.get('content-type'), answer }
}

// Most of its calls read JSON whatever the status says.
const json = async (path, options) => {
  const { answer, ...facts } = await call(path, options)
  return { ...facts, body: await answer.json() }
}

// Hiding and showing look at `ok` only.
const plain = async (path, options) => {
  const { answer, ...facts } = await call(path, options)
  return { ...facts, body: await answer.text() }
}

const send = (method, body) => ({ method, headers: protectedHeaders, body: body && JSON.stringify(body) })
const page = undefined
const pageSize = undefined
const content = { title: 'Evening show', description: 'News', tags: ['news'], thumbnail: 'https://www.example.com/b.jpg' }

const answers = {}
answers.created = await json('/channels', send('POST', { name: 'Studio', userId: owner }))
answers.live = await json(`/channels/${answers.created.body.uuid}/live`)
answers.unknownLive = await json('/channels/00000000-0000-4000-8000-000000000000/live')
answers.list = await json(`/on-demand?page=${page}&pageSize=${pageSize}`)
answers.video = await json(`/on-demand/${video}`)
answers.malformed = await json('/on-demand/undefined')
answers.written = await json(`/on-demand/${video}`, send('PUT', content))
answers.withoutKey = await json(`/on-demand/${video}`, { method: 'PUT', body: JSON.stringify(content) })
answers.found = await json(`/on-demand/search?search=evening&page=1&pageSize=10`)
answers.empty = await json('/on-demand/search?search=')
answers.hidden = await plain(`/on-demand/${video}`, send('DELETE'))
answers.afterHiding = await json(`/on-demand/${video}`)
answers.shown = await plain(`/on-demand/${video}`, send('PATCH', {}))
answers.hiddenAgain = await plain(`/on-demand/${video}`, send('DELETE'))
answers.shownWithoutBody = await plain(`/on-demand/${video}`, send('PATCH'))
answers.afterShowing = await json(`/on-demand/${video}`)
console.log(JSON.stringify(answers))
