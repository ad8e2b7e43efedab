/** Small pieces every panel uses. */

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { dueText } from '../../../shared/formats'
import type { BoardTicket, Priority } from '../wire'
import { dropNotice, notices, now } from '../state'
import { label, language, t } from '../words'
import { Icon } from './icons'

/** The status in words; an assignment nobody has seen yet is told apart. */
export function StatusPill({ ticket }: { ticket: Pick<BoardTicket, 'status' | 'acknowledged'> }): JSX.Element {
  const unseen = ticket.status === 'assigned' && !ticket.acknowledged
  return (
    <span class="pill" data-status={ticket.status}>
      {label('status', unseen ? 'assigned_unseen' : ticket.status)}
    </span>
  )
}

/** Shown for high and urgent only: a mark on every line is a mark on none. */
export function PriorityMark({ priority }: { priority: Priority }): JSX.Element | null {
  if (priority === 'normal' || priority === 'low') return null
  return (
    <span class="priority" data-priority={priority}>
      {label('priority', priority)}
    </span>
  )
}

const SOON_MS = 30 * 60_000

/** Time left to the due time, or to the end of the window where no due time was set. */
export function Due({ ticket }: { ticket: Pick<BoardTicket, 'due_at' | 'window' | 'status'> }): JSX.Element | null {
  const at = ticket.due_at ?? ticket.window?.end
  if (!at || ['awaiting_acceptance', 'closed', 'cancelled'].includes(ticket.status)) return null
  const left = Date.parse(at) - now.value
  const tone = left < 0 ? 'late' : left < SOON_MS ? 'soon' : 'fine'
  return (
    <span class="due" data-tone={tone}>
      {dueText(at, now.value, language.value)}
    </span>
  )
}

export function Empty({ title, hint, children }: { title: string; hint?: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {hint && <p class="empty-hint">{hint}</p>}
      {children}
    </div>
  )
}

export function Loading({ text }: { text?: string }): JSX.Element {
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {text ?? t('loading')}
    </p>
  )
}

export function IconButton(props: {
  icon: Parameters<typeof Icon>[0]['name']
  name: string
  onClick: () => void
  class?: string
}): JSX.Element {
  return (
    <button type="button" class={`icon-button ${props.class ?? ''}`} aria-label={props.name} title={props.name} onClick={props.onClick}>
      <Icon name={props.icon} />
    </button>
  )
}

export function Notices(): JSX.Element {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((notice) => (
        <div key={notice.id} class="notice" data-kind={notice.kind}>
          <Icon name={notice.kind === 'good' ? 'tick' : 'alert'} />
          <p>{notice.text}</p>
          <IconButton icon="close" name={t('close')} onClick={() => dropNotice(notice.id)} />
        </div>
      ))}
    </div>
  )
}

/** A dialog over the page; Esc and a click beside it close it, focus returns where it was. */
export function Dialog(props: { name: string; onClose: () => void; class?: string; children: ComponentChildren }): JSX.Element {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const dialog = element.current!
    dialog.showModal()
    return () => dialog.close()
  }, [])
  return (
    <dialog
      ref={element}
      class={props.class}
      aria-label={props.name}
      onCancel={(event) => {
        event.preventDefault()
        props.onClose()
      }}
      onClick={(event) => event.target === element.current && props.onClose()}
    >
      {props.children}
    </dialog>
  )
}
