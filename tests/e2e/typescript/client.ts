// A client whose types are all generated from openapi.json: `node client.js URL TOKEN OWNER`.
// It does what an application does, and prints what it saw as one JSON document.

import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

type Video = components['schemas']['Video']

const [url, token, owner] = process.argv.slice(2) as [string, string, string]
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } })

// What a call answered; what it refused is an error of the one shape.
function answered<T>(answer: { data?: T; error?: components['schemas']['Error'] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.error ?? 'no answer')
  return answer.data
}

const videos: Video[] = answered(await client.GET('/on-demand', { params: { query: { pageSize: '5' } } })).data
const first = videos[0]
if (first === undefined) throw new Error('the demo has a video')
const path = { uuid: first.uuid }
const patched = answered(
  await client.PATCH('/on-demand/{uuid}', { params: { path }, body: { title: 'Opening show', tags: ['demo'] } }),
)
if (typeof patched === 'string') throw new Error('a change answers with the video')
const found = answered(await client.GET('/on-demand', { params: { query: { search: 'opening', ordering: 'relevance' } } }))
const tags = answered(await client.GET('/tags'))
const channel = answered(await client.POST('/channels', { body: { name: 'From TypeScript', userId: owner } }))
const live = answered(await client.GET('/channels/{uuid}/live', { params: { path: { uuid: channel.uuid } } }))
const refused = await client.GET('/on-demand', { params: { query: { min_duration: -1 } } })

console.log(
  JSON.stringify({
    video: first.uuid,
    location: first.location,
    title: patched.content.title,
    found: found.data.map((video) => video.uuid),
    tags: tags.data.map((entry) => entry.tag),
    channel: channel.uuid,
    state: live.state,
    refused: refused.error?.fields,
  }),
)
