/** The admin's half of the HTTP API, and the proof that grave requests ask for. */

import { signal } from '@preact/signals'
import { asRefused } from '../api'
import { pageOf, type PageOf } from '../paging'
import { api } from '../state'
import type { CatalogueReply, Texts, Uuid } from '../wire'

export interface EngineerLine {
  engineer_id: Uuid
  name: string
  signin_id: string
  active: boolean
  territory_id: Uuid | null
  contractor_id: Uuid | null
  has_phone: boolean
  consents: boolean
  skills: Record<string, number>
  devices: number
  shifts_until: string | null
}

export interface DispatcherLine {
  dispatcher_id: Uuid
  name: string
  signin_id: string
  role: 'admin' | 'dispatcher' | 'contractor'
  active: boolean
  totp: boolean
  territory_ids: Uuid[]
}

export interface KeyLine {
  key_id: Uuid
  name: string
  prefix: string
  scopes: string[]
  expires_at: string | null
  revoked_at: string | null
}

export interface Device {
  device_id: Uuid
  device: string
  seen_at: string
}

/** What the forms choose from. */
export interface Admin {
  contractors: { contractor_id: Uuid; name: Texts }[]
  skills: CatalogueReply['skills']
  work_types: CatalogueReply['work_types']
  territories: CatalogueReply['territories']
}

/** Set while somebody must prove who they are; settles the request that waits. */
export const proofWanted = signal<((proven: boolean) => void) | null>(null)

/** The request's answer; where a proof is asked for, after it was given. Throws Refused. */
export async function proven<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (asRefused(error).code !== 'proof_required') throw error
    if (!(await new Promise<boolean>((settle) => (proofWanted.value = settle)))) throw error
    return work()
  }
}

export const readAdmin = (): Promise<Admin> => api.ask<Admin>('GET', '/admin')

export const readEngineers = (q: string, page: string | null): Promise<PageOf<EngineerLine>> => pageOf('/admin/engineers', 'engineers', { q, page })
export const readDispatchers = (page: string | null): Promise<PageOf<DispatcherLine>> => pageOf('/admin/dispatchers', 'dispatchers', { page })
export const readKeys = (page: string | null): Promise<PageOf<KeyLine>> => pageOf('/admin/keys', 'keys', { page })
export const send = <T = void>(method: string, path: string, body?: object): Promise<T> => proven(() => api.ask<T>(method, path, body))
