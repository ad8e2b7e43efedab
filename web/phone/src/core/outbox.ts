/**
 * The queue of taps. Every action is written here first and sent from here, oldest first, so that a
 * lost reply, a closed tab or a day without reception loses nothing and applies nothing twice.
 */

import { PHOTO_TIMEOUT_MS, Refused, SignedOut, Unreachable, type EngineerApi } from './api'
import type { PhoneDb, QueuedCommand, QueuedPhoto } from './db'
import { uuid7 } from './uuid7'
import type { ActionCommand, ActionFacts, BatchItem, Problem, Today } from './wire'

/** Actions whose photo may come after them: the hash goes in its place. */
const PHOTO_MAY_FOLLOW = new Set(['check_in', 'complete', 'sign_off'])
const PHOTO_PATIENCE_MS = 12_000
const BATCH = 100
/** A refusal that only means "ask again": the first copy of this command is still being done. */
const ASK_AGAIN = 'command_in_progress'
/** After so many answers that were no answer, the item steps aside and tells the engineer. */
const MAX_TRIES = 8
const LOCK = 'paidan-outbox'

export type Lock = <T>(name: string, work: () => Promise<T>) => Promise<T>

/** One tab at a time drains the queue. */
export const browserLock: Lock = (name, work) => navigator.locks.request(name, work) as ReturnType<typeof work>

/** `done`: nothing more can be sent now; `later`: no answer, try again; `signed_out`: sign in first. */
export type DrainEnd = 'done' | 'later' | 'signed_out'

export interface NewCommand {
  ticket_id: string
  ticket_no: string
  action: string
  at: string
  facts: ActionFacts
  photo_ids?: string[]
}

export interface Queue {
  commands: QueuedCommand[]
  photos: QueuedPhoto[]
}

export interface Outbox {
  add(command: NewCommand): Promise<string>
  addPhoto(photo: QueuedPhoto): Promise<void>
  dropPhoto(photoId: string): Promise<void>
  read(): Promise<Queue>
  drain(): Promise<DrainEnd>
  dismiss(commandId: string): Promise<void>
  /** Sends a refused command again as it was, under a new id. */
  retry(commandId: string): Promise<void>
  /** Takes a refused command out of the queue; its photos become the sheet's again, to be corrected and sent anew. */
  correct(commandId: string): Promise<void>
}

interface Parts {
  db: PhoneDb
  api: EngineerApi
  engineerId: () => string
  lock: Lock
  /** Called after each change that another part of the page should see. */
  changed: () => Promise<void>
  /** The fresh snapshot that came with a reply. */
  arrived: (today: Today) => Promise<void>
}

export function makeOutbox({ db, api, engineerId, lock, changed, arrived }: Parts): Outbox {
  const mine = <T extends { engineer_id: string }>(rows: T[]): T[] => rows.filter((row) => row.engineer_id === engineerId())
  const commands = async (): Promise<QueuedCommand[]> => mine(await db.getAll('commands'))
  const photos = async (): Promise<QueuedPhoto[]> => mine(await db.getAll('photos'))
  const waiting = async (): Promise<QueuedCommand[]> => (await commands()).filter((command) => !command.refused)

  async function add(wanted: NewCommand): Promise<string> {
    const command: QueuedCommand = {
      ...wanted, engineer_id: engineerId(), command_id: uuid7(), photo_ids: wanted.photo_ids ?? [], frozen: false, tries: 0, refused: null,
    }
    const tx = db.transaction(['commands', 'photos'], 'readwrite', { durability: 'strict' })
    await tx.objectStore('commands').add(command)
    for (const photoId of command.photo_ids) {
      const photo = await tx.objectStore('photos').get(photoId)
      if (photo) await tx.objectStore('photos').put({ ...photo, command_id: command.command_id })
    }
    await tx.done
    await changed()
    return command.command_id
  }

  /** Sends one photo; true when it is safe on the server. A refusal is kept with the photo. */
  async function sendPhoto(photo: QueuedPhoto, timeoutMs: number): Promise<boolean> {
    try {
      await api.sendPhoto(photo, timeoutMs)
      await db.put('photos', { ...photo, sent: true })
      return true
    } catch (error) {
      if (error instanceof Refused) {
        await db.put('photos', { ...photo, refused: error.problem })
        return false
      }
      if (!(await isPoison(error))) throw error
      const tries = photo.tries + 1
      const refused = tries >= MAX_TRIES ? noAnswer() : null
      await db.put('photos', { ...photo, tries, refused })
      if (!refused) throw error
      return false
    }
  }

  /** True when this very request makes an otherwise healthy server fail: only then is a limit on tries fair. */
  async function isPoison(error: unknown): Promise<boolean> {
    return error instanceof Unreachable && error.status === 500 && (await serverAnswers())
  }

  function serverAnswers(): Promise<boolean> {
    return api.today().then(() => true, () => false)
  }

  /**
   * Makes a command ready to go and fixes its body for good: its photos are sent first, or named by
   * their hashes when reception is too poor and the action allows it. Throws Unreachable to wait.
   */
  async function prepare(command: QueuedCommand): Promise<QueuedCommand> {
    if (command.frozen) return command
    const sent: string[] = []
    const pending: string[] = []
    for (const photoId of command.photo_ids) {
      const photo = await db.get('photos', photoId)
      if (!photo) continue
      const follow = PHOTO_MAY_FOLLOW.has(command.action)
      try {
        const safe = photo.sent || (!photo.refused && (await sendPhoto(photo, follow ? PHOTO_PATIENCE_MS : PHOTO_TIMEOUT_MS)))
        if (safe) sent.push(photoId)
        else return await refuse(command, (await db.get('photos', photoId))?.refused ?? noAnswer())
      } catch (error) {
        const onlyPhotoFailed = error instanceof Unreachable && follow && (await serverAnswers())
        if (!onlyPhotoFailed) throw error
        pending.push(photo.sha256)
      }
    }
    const facts = { ...command.facts }
    if (sent.length) facts.photo_ids = sent
    if (pending.length) facts.photo_pending = pending
    const ready = { ...command, facts, frozen: true }
    await db.put('commands', ready)
    return ready
  }

  async function refuse(command: QueuedCommand, problem: Problem): Promise<QueuedCommand> {
    const refused = { ...command, refused: problem }
    await db.put('commands', refused)
    return refused
  }

  /** The longest run of commands that can travel together: one that still needs photos starts a new run, one that failed before goes alone. */
  async function nextRun(queue: QueuedCommand[]): Promise<QueuedCommand[]> {
    const run: QueuedCommand[] = []
    for (const command of queue.slice(0, BATCH)) {
      const needsPhotos = !command.frozen && command.photo_ids.length > 0
      if ((needsPhotos || command.tries) && run.length) break
      const ready = await prepare(command)
      if (!ready.refused) run.push(ready)
      if (command.tries) break
    }
    return run
  }

  async function send(run: QueuedCommand[]): Promise<void> {
    try {
      const reply = await api.sendCommands(run.map(bodyOf))
      const answered = await settle(run, reply.items)
      await arrived(reply.today)
      if (!answered) throw new Unreachable('no answer for some commands')
    } catch (error) {
      const [only, ...others] = run
      if (only && (await isPoison(error))) await countTry(only)
      if (!(error instanceof Refused)) throw error
      if (only && others.length === 0) await refuse(only, error.problem)
      else for (const command of run) await send([command])
    }
  }

  async function countTry(command: QueuedCommand, problem?: Problem | null): Promise<void> {
    const tries = command.tries + 1
    await db.put('commands', { ...command, tries, refused: tries >= MAX_TRIES ? (problem ?? noAnswer()) : null })
  }

  /** Writes the server's verdicts; false when an item got none. What follows an unanswered step of the same ticket goes again under a new id. */
  async function settle(run: QueuedCommand[], items: BatchItem[]): Promise<boolean> {
    const verdicts = new Map(items.map((item) => [item.command_id, item]))
    const stuck = new Set<string>()
    for (const command of run) {
      const item = verdicts.get(command.command_id)
      if (item && item.status < 300) {
        await forget(command)
      } else if (!item || item.status >= 500 || item.status === 429 || item.problem?.code === ASK_AGAIN) {
        stuck.add(command.ticket_id)
        await countTry(command, item?.problem)
      } else if (stuck.has(command.ticket_id)) {
        await renew(command)
      } else {
        await refuse(command, item.problem ?? noAnswer())
      }
    }
    return stuck.size === 0
  }

  /** The command is done; its photos go too, except those still to be sent. */
  async function forget(command: QueuedCommand): Promise<void> {
    const tx = db.transaction(['commands', 'photos'], 'readwrite', { durability: 'strict' })
    await tx.objectStore('commands').delete(command.place!)
    for (const photo of await tx.objectStore('photos').getAll()) {
      if (photo.command_id === command.command_id && photo.sent) await tx.objectStore('photos').delete(photo.photo_id)
    }
    await tx.done
  }

  /** The same tap under a new id and free to change: the old id was answered once and keeps that answer. */
  async function renew(command: QueuedCommand): Promise<void> {
    const command_id = uuid7()
    const tx = db.transaction(['commands', 'photos'], 'readwrite', { durability: 'strict' })
    const facts = withoutPhotos(command.facts)
    await tx.objectStore('commands').put({ ...command, command_id, facts, refused: null, tries: 0, frozen: false })
    for (const photo of await tx.objectStore('photos').getAll()) {
      if (photo.command_id === command.command_id) await tx.objectStore('photos').put({ ...photo, command_id, refused: null, tries: 0 })
    }
    await tx.done
  }

  /** Photos that were allowed to come later, and those of refused commands: evidence is worth having either way. */
  async function sendLatePhotos(): Promise<void> {
    for (const photo of await photos()) {
      if (!photo.command_id || photo.sent || photo.refused) continue
      const owner = (await commands()).find((command) => command.command_id === photo.command_id)
      if (owner && !owner.refused) continue
      if ((await sendPhoto(photo, PHOTO_TIMEOUT_MS)) && !owner) await db.delete('photos', photo.photo_id)
      await changed()
    }
  }

  async function drainAll(): Promise<DrainEnd> {
    try {
      for (let queue = await waiting(); queue.length; queue = await waiting()) {
        const run = await nextRun(queue)
        if (run.length) await send(run)
        await changed()
      }
      await sendLatePhotos()
      return 'done'
    } catch (error) {
      if (error instanceof SignedOut) return 'signed_out'
      if (error instanceof Unreachable) return 'later'
      throw error
    } finally {
      await changed()
    }
  }

  async function find(commandId: string): Promise<QueuedCommand | undefined> {
    return (await commands()).find((command) => command.command_id === commandId)
  }

  return {
    add,
    addPhoto: async (photo) => {
      await db.put('photos', photo)
      await changed()
    },
    dropPhoto: async (photoId) => {
      await db.delete('photos', photoId)
      await changed()
    },
    read: async () => ({ commands: await commands(), photos: await photos() }),
    drain: () => lock(LOCK, drainAll),
    dismiss: (commandId) =>
      lock(LOCK, async () => {
        const command = await find(commandId)
        if (command?.refused) await db.delete('commands', command.place!)
        for (const photo of await photos()) {
          if (photo.command_id === commandId && (photo.sent || photo.refused || command?.refused)) await db.delete('photos', photo.photo_id)
        }
        await changed()
      }),
    retry: (commandId) =>
      lock(LOCK, async () => {
        const command = await find(commandId)
        if (command?.refused) await renew(command)
        await changed()
      }),
    correct: (commandId) =>
      lock(LOCK, async () => {
        const command = await find(commandId)
        if (!command?.refused) return
        await db.delete('commands', command.place!)
        for (const photo of await photos()) {
          if (photo.command_id === commandId) await db.put('photos', { ...photo, command_id: null, refused: null, tries: 0 })
        }
        await changed()
      }),
  }
}

function bodyOf(command: QueuedCommand): ActionCommand {
  const { command_id, ticket_id, action, at, facts } = command
  return { command_id, ticket_id, action, at, facts }
}

function withoutPhotos({ photo_ids: _ids, photo_pending: _pending, ...rest }: ActionFacts): ActionFacts {
  return rest
}

/** Stands in where the server failed again and again without saying why. */
function noAnswer(): Problem {
  return { code: 'no_answer', title: 'No answer', status: 0, facts: {}, trace_id: '' }
}
