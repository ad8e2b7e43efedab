import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { closeSheet } from '../core/route'
import { notice } from '../core/state'
import { t, type Key } from '../core/words'
import { Icon, type IconName } from './icons'

/** A short word at the bottom that goes away by itself. */
export function say(key: Key, bad = false): void {
  notice.value = { text: t(key), bad }
}

export function Notice() {
  const shown = notice.value
  useEffect(() => {
    if (!shown) return
    const timer = setTimeout(() => (notice.value = null), shown.bad ? 6_000 : 2_500)
    return () => clearTimeout(timer)
  }, [shown])
  return (
    <div class="notice-place" role="status" aria-live="polite">
      {shown && <div class={shown.bad ? 'notice bad' : 'notice'}>{shown.text}</div>}
    </div>
  )
}

export function Empty({ icon, title, hint, children }: { icon: IconName; title: string; hint?: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={40} />
      <h2>{title}</h2>
      {hint && <p>{hint}</p>}
      {children}
    </div>
  )
}

/** A sheet from the bottom edge; `foot` stays in thumb reach while the rest scrolls. */
export function Sheet({ title, foot, children, close = closeSheet }: { title: string; foot?: ComponentChildren; children: ComponentChildren; close?: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const element = dialog.current
    if (element && !element.open) element.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog ref={dialog} class="sheet" aria-label={title} onCancel={(e) => (e.preventDefault(), close())} onClick={(e) => e.target === dialog.current && close()}>
      <div class="sheet-body">
        <header class="sheet-head">
          <h2>{title}</h2>
          <button type="button" class="round" aria-label={t('close')} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        <div class="sheet-scroll">{children}</div>
        {foot && <footer class="sheet-foot">{foot}</footer>}
      </div>
    </dialog>
  )
}

export function SheetMeanwhile({ failed }: { failed: boolean }) {
  return <Sheet title={t(failed ? 'reach_unreachable' : 'loading')}>{null}</Sheet>
}

export function PageMeanwhile({ failed }: { failed: boolean }) {
  return <Empty icon={failed ? 'alert' : 'refresh'} title={t(failed ? 'reach_unreachable' : 'loading')} />
}

/** The one button that sends a sheet; tells in words when the phone could not keep the action. */
export function Send({ name, about, ready, send, danger = false }: { name: string; about?: string; ready: boolean; send: () => Promise<void>; danger?: boolean }) {
  const [busy, setBusy] = useState(false)
  const tap = async () => {
    setBusy(true)
    try {
      await send()
    } catch (error) {
      say('storage_full', true)
      console.error(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button type="button" class={danger ? 'main danger' : 'main'} disabled={!ready || busy} onClick={() => void tap()}>
      {name}
      {about && <small>{about}</small>}
    </button>
  )
}

export interface Choice {
  code: string
  label: string
}

export function Choices({ name, options, value, choose }: { name: string; options: Choice[]; value: string; choose: (code: string) => void }) {
  return (
    <fieldset class="choices">
      <legend>{name}</legend>
      {options.map((option) => (
        <label key={option.code} class={option.code === value ? 'choice on' : 'choice'}>
          <input type="radio" name={name} checked={option.code === value} onChange={() => choose(option.code)} />
          {option.label}
        </label>
      ))}
    </fieldset>
  )
}

export function Field({ name, optional = false, children }: { name: string; optional?: boolean; children: JSX.Element }) {
  return (
    <label class="field">
      <span>
        {name}
        {optional && <small> {t('optional')}</small>}
      </span>
      {children}
    </label>
  )
}

export function TextArea({ value, set, max = 4000, placeholder = '' }: { value: string; set: (text: string) => void; max?: number; placeholder?: string }) {
  return <textarea rows={3} maxLength={max} value={value} placeholder={placeholder} onInput={(e) => set(e.currentTarget.value)} />
}
