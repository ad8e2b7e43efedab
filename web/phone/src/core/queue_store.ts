/** The queue as it lies in the phone's database: commands oldest first, and the photos they need. */

import type { PhoneDb, QueuedCommand, QueuedPhoto, QueuedRequest } from './db'
import { madeAtMs, uuid7 } from './uuid7'
import type { ActionFacts, Problem } from './wire'

const DRAFT_MS = 7 * 86_400_000
/** After so many answers that were no answer, the item steps aside and tells the engineer. */
const MAX_TRIES = 8

export interface NewCommand {
  ticket_id: string
  ticket_no: string
  action: string
  at: string
  facts: ActionFacts
  request?: QueuedRequest
  photo_ids?: string[]
}

/** One engineer's queue; what another engineer left on this phone is out of sight and stays. */
export class QueueStore {
  constructor(private readonly db: PhoneDb, private readonly engineerId: () => string) {}

  async commands(): Promise<QueuedCommand[]> {
    return this.mine(await this.db.getAll('commands'))
  }

  async waiting(): Promise<QueuedCommand[]> {
    return (await this.commands()).filter((command) => !command.refused)
  }

  async find(commandId: string): Promise<QueuedCommand | undefined> {
    return (await this.commands()).find((command) => command.command_id === commandId)
  }

  async photos(): Promise<QueuedPhoto[]> {
    return this.mine(await this.db.getAll('photos'))
  }

  photo(photoId: string): Promise<QueuedPhoto | undefined> {
    return this.db.get('photos', photoId)
  }

  async putPhoto(photo: QueuedPhoto): Promise<void> {
    await this.db.put('photos', photo)
  }

  async deletePhoto(photoId: string): Promise<void> {
    await this.db.delete('photos', photoId)
  }

  /** The id of the new command; on return it and its photos' ties are durable. */
  async add(wanted: NewCommand): Promise<string> {
    const photo_ids = wanted.photo_ids ?? []
    const command_id = uuid7()
    const tx = this.both()
    await tx.objectStore('commands').add({
      ...wanted, photo_ids, command_id, engineer_id: this.engineerId(), frozen: false, tries: 0, refused: null,
    })
    for (const photoId of photo_ids) {
      const photo = await tx.objectStore('photos').get(photoId)
      if (photo) await tx.objectStore('photos').put({ ...photo, command_id })
    }
    await tx.done
    return command_id
  }

  /** From here on the id stands for exactly these facts. */
  async freeze(command: QueuedCommand, facts: ActionFacts): Promise<QueuedCommand> {
    return this.put({ ...command, facts, frozen: true })
  }

  async refuse(command: QueuedCommand, problem: Problem): Promise<QueuedCommand> {
    return this.put({ ...command, refused: problem })
  }

  async countTry(command: QueuedCommand, problem?: Problem | null): Promise<void> {
    const tries = command.tries + 1
    await this.put({ ...command, tries, refused: tries >= MAX_TRIES ? (problem ?? noAnswer()) : null })
  }

  /** True while there are tries left. */
  async countPhotoTry(photo: QueuedPhoto): Promise<boolean> {
    const tries = photo.tries + 1
    await this.putPhoto({ ...photo, tries, refused: tries >= MAX_TRIES ? noAnswer() : null })
    return tries < MAX_TRIES
  }

  /** The command is done; its photos go too, except those still to be sent. */
  async forget(command: QueuedCommand): Promise<void> {
    await this.remove(command, (photo) => (photo.sent ? null : photo))
  }

  /** The command and its evidence go. */
  async discard(command: QueuedCommand): Promise<void> {
    await this.remove(command, () => null)
  }

  /** The command goes; its photos become the sheet's again. */
  async release(command: QueuedCommand): Promise<void> {
    await this.remove(command, (photo) => ({ ...photo, command_id: null, refused: null, tries: 0 }))
  }

  /** The same tap under a new id and free to change: the old id was answered once and keeps that answer. */
  async renew(command: QueuedCommand): Promise<void> {
    const command_id = uuid7()
    const { photo_ids: _ids, photo_pending: _pending, ...facts } = command.facts
    const tx = this.both()
    await tx.objectStore('commands').put({ ...command, command_id, facts, refused: null, tries: 0, frozen: false })
    for (const photo of await tx.objectStore('photos').getAll()) {
      if (photo.command_id === command.command_id) await tx.objectStore('photos').put({ ...photo, command_id, refused: null, tries: 0 })
    }
    await tx.done
  }

  async dropOldDrafts(nowMs: number): Promise<void> {
    for (const photo of await this.photos()) {
      if (!photo.command_id && madeAtMs(photo.photo_id) < nowMs - DRAFT_MS) await this.deletePhoto(photo.photo_id)
    }
  }

  private mine<T extends { engineer_id: string }>(rows: T[]): T[] {
    return rows.filter((row) => row.engineer_id === this.engineerId())
  }

  private both() {
    return this.db.transaction(['commands', 'photos'], 'readwrite', { durability: 'strict' })
  }

  private async put(command: QueuedCommand): Promise<QueuedCommand> {
    await this.db.put('commands', command)
    return command
  }

  /** Deletes a command and, in the same transaction, changes or (null) deletes each of its photos. */
  private async remove(command: QueuedCommand, change: (photo: QueuedPhoto) => QueuedPhoto | null): Promise<void> {
    const tx = this.both()
    const photos = tx.objectStore('photos')
    if (command.place !== undefined) await tx.objectStore('commands').delete(command.place)
    for (const photo of await photos.getAll()) {
      if (photo.command_id !== command.command_id) continue
      const changed = change(photo)
      if (changed) await photos.put(changed)
      else await photos.delete(photo.photo_id)
    }
    await tx.done
  }
}

/** Stands in where the server failed again and again without saying why. */
export function noAnswer(): Problem {
  return { code: 'no_answer', title: 'No answer', status: 0, facts: {}, trace_id: '' }
}
