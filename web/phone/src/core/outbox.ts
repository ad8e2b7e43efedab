/**
 * The queue of taps. Every action is written here first and sent from here, oldest first, so that a
 * lost reply, a closed tab or a day without reception loses nothing and applies nothing twice.
 */

import { PHOTO_TIMEOUT_MS, Refused, SignedOut, Unreachable, type EngineerApi } from './api'
import type { PhoneDb, QueuedCommand, QueuedPhoto, QueuedRequest } from './db'
import { noAnswer, QueueStore, type NewCommand } from './queue_store'
import type { ActionCommand, BatchItem, Today } from './wire'

/** Actions whose photo may come after them: the hash goes in its place. */
const PHOTO_MAY_FOLLOW = new Set(['check_in', 'complete', 'sign_off', 'approve_quote'])
const PHOTO_PATIENCE_MS = 12_000
const BATCH = 100
/** A refusal that only means "ask again": the first copy of this command is still being done. */
const ASK_AGAIN = 'command_in_progress'
const LOCK = 'paidan-outbox'

export type Lock = <T>(name: string, work: () => Promise<T>) => Promise<T>

/** One tab at a time drains the queue; on a page without HTTPS, where browsers have no locks, at least one run at a time. */
export const browserLock: Lock = (name, work) =>
  (navigator.locks ? navigator.locks.request(name, work) : inTurn(work)) as ReturnType<typeof work>

let lastTurn: Promise<unknown> = Promise.resolve()
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work, work)
  lastTurn = turn
  return turn
}

/** `done`: nothing more can be sent now; `later`: no answer, try again; `signed_out`: sign in first. */
export type DrainEnd = 'done' | 'later' | 'signed_out'

export interface Queue {
  commands: QueuedCommand[]
  photos: QueuedPhoto[]
}

export interface OutboxParts {
  db: PhoneDb
  api: EngineerApi
  engineerId: () => string
  lock: Lock
  /** Called after each change that another part of the page should see. */
  changed: () => Promise<void>
  /** The fresh snapshot that came with a reply. */
  arrived: (today: Today) => Promise<void>
}

export class Outbox {
  private readonly store: QueueStore

  constructor(private readonly parts: OutboxParts) {
    this.store = new QueueStore(parts.db, parts.engineerId)
  }

  /** The new command's id. Throws what the database throws when the phone is full: then nothing was kept. */
  async add(command: NewCommand): Promise<string> {
    const commandId = await this.store.add(command)
    await this.parts.changed()
    return commandId
  }

  async addPhoto(photo: QueuedPhoto): Promise<void> {
    await this.store.putPhoto(photo)
    await this.parts.changed()
  }

  async dropPhoto(photoId: string): Promise<void> {
    await this.store.deletePhoto(photoId)
    await this.parts.changed()
  }

  /** Photos of sheets that were never sent are dropped after a week. */
  dropOldDrafts(nowMs: number): Promise<void> {
    return this.store.dropOldDrafts(nowMs)
  }

  async read(): Promise<Queue> {
    return { commands: await this.store.commands(), photos: await this.store.photos() }
  }

  drain(): Promise<DrainEnd> {
    return this.parts.lock(LOCK, () => this.drainAll())
  }

  /** The engineer has seen a refusal: the command and its evidence go. */
  dismiss(commandId: string): Promise<void> {
    return this.onRefused(commandId, (command) => this.store.discard(command))
  }

  /** Sends a refused command again as it was, under a new id. */
  retry(commandId: string): Promise<void> {
    return this.onRefused(commandId, (command) => this.store.renew(command))
  }

  /** Takes a refused command out of the queue; its photos become the sheet's again, to be corrected and sent anew. */
  correct(commandId: string): Promise<void> {
    return this.onRefused(commandId, (command) => this.store.release(command))
  }

  private onRefused(commandId: string, work: (command: QueuedCommand) => Promise<void>): Promise<void> {
    return this.parts.lock(LOCK, async () => {
      const command = await this.store.find(commandId)
      if (command?.refused) await work(command)
      await this.parts.changed()
    })
  }

  private async drainAll(): Promise<DrainEnd> {
    try {
      for (let queue = await this.store.waiting(); queue.length; queue = await this.store.waiting()) {
        const run = await this.nextRun(queue)
        if (run.length) await this.send(run)
        await this.parts.changed()
      }
      await this.sendLatePhotos()
      return 'done'
    } catch (error) {
      if (error instanceof SignedOut) return 'signed_out'
      if (error instanceof Unreachable) return 'later'
      throw error
    } finally {
      await this.parts.changed()
    }
  }

  /** The longest run of commands that can travel together: one that still needs photos starts a new run, one that failed before and one that is a request goes alone. */
  private async nextRun(queue: QueuedCommand[]): Promise<QueuedCommand[]> {
    const run: QueuedCommand[] = []
    for (const command of queue.slice(0, BATCH)) {
      const needsPhotos = !command.frozen && command.photo_ids.length > 0
      if ((needsPhotos || command.tries || command.request) && run.length) break
      const ready = await this.prepare(command)
      if (!ready.refused) run.push(ready)
      if (command.tries || command.request) break
    }
    return run
  }

  /**
   * Makes a command ready to go and fixes its body for good: its photos are sent first, or named by
   * their hashes when only they cannot get through and the action allows it. Throws Unreachable to wait.
   */
  private async prepare(command: QueuedCommand): Promise<QueuedCommand> {
    if (command.frozen) return command
    const sent: string[] = []
    const pending: string[] = []
    for (const photoId of command.photo_ids) {
      const photo = await this.store.photo(photoId)
      if (!photo) continue
      const mayFollow = photo.sha256 !== null && PHOTO_MAY_FOLLOW.has(command.action)
      try {
        const safe = photo.sent || (!photo.refused && (await this.sendPhoto(photo, mayFollow ? PHOTO_PATIENCE_MS : PHOTO_TIMEOUT_MS)))
        if (!safe) return await this.store.refuse(command, (await this.store.photo(photoId))?.refused ?? noAnswer())
        sent.push(photoId)
      } catch (error) {
        const onlyPhotoFailed = error instanceof Unreachable && mayFollow && (await this.serverAnswers())
        if (!onlyPhotoFailed) throw error
        if (photo.sha256) pending.push(photo.sha256)
      }
    }
    return this.store.freeze(command, {
      ...command.facts, ...(sent.length ? { photo_ids: sent } : {}), ...(pending.length ? { photo_pending: pending } : {}),
    })
  }

  /** Sends one photo; true when it is safe on the server. A refusal is kept with the photo. */
  private async sendPhoto(photo: QueuedPhoto, timeoutMs: number): Promise<boolean> {
    try {
      await this.parts.api.sendPhoto(photo, timeoutMs)
      await this.store.putPhoto({ ...photo, sent: true })
      return true
    } catch (error) {
      if (error instanceof Refused) {
        await this.store.putPhoto({ ...photo, refused: error.problem })
        return false
      }
      if (!(await this.isPoison(error)) || (await this.store.countPhotoTry(photo))) throw error
      return false
    }
  }

  private async send(run: QueuedCommand[]): Promise<void> {
    try {
      const [only] = run
      if (only?.request) return await this.sendRequest(only, only.request)
      const reply = await this.parts.api.sendCommands(run.map(bodyOf))
      const answered = await this.settle(run, reply.items)
      await this.parts.arrived(reply.today)
      if (!answered) throw new Unreachable('no answer for some commands')
    } catch (error) {
      const [first, ...others] = run
      if (first && (await this.isPoison(error))) await this.store.countTry(first)
      if (!(error instanceof Refused)) throw error
      if (first && others.length === 0) await this.store.refuse(first, error.problem)
      else for (const command of run) await this.send([command])
    }
  }

  private async sendRequest(command: QueuedCommand, { wanted, withdraw }: QueuedRequest): Promise<void> {
    try {
      if (wanted) await this.parts.api.ask({ command_id: command.command_id, ...wanted })
      else await this.parts.api.withdrawRequest(withdraw, command.command_id)
    } catch (error) {
      throw error instanceof Refused && error.problem.code === ASK_AGAIN ? new Unreachable(ASK_AGAIN) : error
    }
    await this.store.forget(command)
  }

  /** Writes the server's verdicts; false when an item got none. What follows an unanswered step of the same ticket goes again under a new id. */
  private async settle(run: QueuedCommand[], items: BatchItem[]): Promise<boolean> {
    const verdicts = new Map(items.map((item) => [item.command_id, item]))
    const stuck = new Set<string>()
    for (const command of run) {
      const item = verdicts.get(command.command_id)
      if (item && item.status < 300) {
        await this.store.forget(command)
      } else if (!item || item.status >= 500 || item.status === 429 || item.problem?.code === ASK_AGAIN) {
        stuck.add(command.ticket_id)
        await this.store.countTry(command, item?.problem)
      } else if (stuck.has(command.ticket_id)) {
        await this.store.renew(command)
      } else {
        await this.store.refuse(command, item.problem ?? noAnswer())
      }
    }
    return stuck.size === 0
  }

  /** Photos that were allowed to come later, and those of refused commands: evidence is worth having either way. */
  private async sendLatePhotos(): Promise<void> {
    for (const photo of await this.store.photos()) {
      if (!photo.command_id || photo.sent || photo.refused) continue
      const owner = await this.store.find(photo.command_id)
      if (owner && !owner.refused) continue
      if ((await this.sendPhoto(photo, PHOTO_TIMEOUT_MS)) && !owner) await this.store.deletePhoto(photo.photo_id)
      await this.parts.changed()
    }
  }

  /** True when this very request makes an otherwise healthy server fail: only then is a limit on tries fair. */
  private async isPoison(error: unknown): Promise<boolean> {
    return error instanceof Unreachable && error.status === 500 && (await this.serverAnswers())
  }

  private serverAnswers(): Promise<boolean> {
    return this.parts.api.today().then(() => true, () => false)
  }
}

function bodyOf({ command_id, ticket_id, action, at, facts }: QueuedCommand): ActionCommand {
  return { command_id, ticket_id, action, at, facts }
}
