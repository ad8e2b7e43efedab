import type { ShownTicket } from '../core/overlay'
import { lazy } from '../parts/lazy'
import { SheetMeanwhile } from '../parts/basics'
import { CheckInSheet } from './check_in'
import { HoldSheet } from './hold'
import { MoreSheet } from './more'
import { NavigateSheet } from './navigate'
import { ReasonSheet } from './reason'
import { ContactSheet, TextSheet, TurnBackSheet } from './words_sheets'

const CompleteSheet = lazy(() => import('./complete').then((m) => m.CompleteSheet), SheetMeanwhile)
const AskSheet = lazy(() => import('./ask').then((m) => m.AskSheet), SheetMeanwhile)
const PaySheet = lazy(() => import('./pay').then((m) => m.PaySheet), SheetMeanwhile)
const HandOverSheet = lazy(() => import('./hand_over').then((m) => m.HandOverSheet), SheetMeanwhile)
const QuoteSheet = lazy(() => import('./quote').then((m) => m.QuoteSheet), SheetMeanwhile)
const SignOffSheet = lazy(() => import('./sign_off').then((m) => m.SignOffSheet), SheetMeanwhile)

/** The sheet that an action (or one of the page's own names) opens; an action the server no longer allows opens none. */
export function ActionSheet({ ticket, sheet }: { ticket: ShownTicket; sheet: string }) {
  if (sheet === 'more') return <MoreSheet ticket={ticket} />
  if (sheet === 'navigate') return <NavigateSheet ticket={ticket} />
  if (sheet === 'ask_discount' || sheet === 'ask_part') return <AskSheet kind={sheet === 'ask_part' ? 'part' : 'discount'} ticket={ticket} />
  if (!ticket.allowed_actions.includes(sheet)) return null
  switch (sheet) {
    case 'check_in':
      return <CheckInSheet ticket={ticket} />
    case 'complete':
      return <CompleteSheet ticket={ticket} />
    case 'hold':
      return <HoldSheet ticket={ticket} />
    case 'hand_back':
    case 'reject':
      return <ReasonSheet ticket={ticket} action={sheet} />
    case 'turn_back':
      return <TurnBackSheet ticket={ticket} />
    case 'contact':
      return <ContactSheet ticket={ticket} />
    case 'note':
    case 'resolve_remotely':
      return <TextSheet ticket={ticket} action={sheet} />
    case 'hand_over':
      return <HandOverSheet ticket={ticket} />
    case 'quote':
      return <QuoteSheet ticket={ticket} />
    case 'sign_off':
    case 'approve_quote':
      return <SignOffSheet ticket={ticket} action={sheet} />
    case 'refuse_quote':
      return <TextSheet ticket={ticket} action={sheet} />
    case 'pay':
      return <PaySheet ticket={ticket} />
    default:
      return null
  }
}
