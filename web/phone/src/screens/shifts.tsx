import { useEffect, useState } from 'preact/hooks'
import { api } from '../core/app'
import { goInstead } from '../core/route'
import type { ShiftCard } from '../core/wire'
import { clockTime, dayName, t } from '../core/words'
import { Empty } from '../parts/basics'
import { Icon } from '../parts/icons'
import { ReachChip, Strips } from '../parts/pieces'

/** My hours of work and on call, as the roster has them. */
export function ShiftsScreen() {
  const [shifts, setShifts] = useState<ShiftCard[] | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => void api.shifts().then(setShifts, () => setFailed(true)), [])
  return (
    <>
      <header class="head">
        <button type="button" class="round" aria-label={t('back')} onClick={() => (history.length > 1 ? history.back() : goInstead('me'))}>
          <Icon name="back" />
        </button>
        <h1>{t('my_shifts')}</h1>
        <ReachChip />
      </header>
      <main class="page">
        <Strips />
        {failed ? (
          <Empty icon="alert" title={t('needs_network')} />
        ) : !shifts ? (
          <Empty icon="clock" title={t('loading')} />
        ) : shifts.length === 0 ? (
          <Empty icon="clock" title={t('off_shift')} />
        ) : (
          <>
            {shifts.some((shift) => shift.kind === 'on_call') && <p class="lead">{t('on_call_hint')}</p>}
            <ul class="rows">
              {shifts.map((shift) => (
                <li key={shift.starts_at} class="shift-row">
                  <span>
                    <b>{dayName(shift.starts_at)}</b>
                    <span class="hours">
                      {clockTime(shift.starts_at)}–{clockTime(shift.ends_at)}
                      {dayName(shift.ends_at) !== dayName(shift.starts_at) && <small class="sub"> {t('next_day')}</small>}
                    </span>
                  </span>
                  <span class={shift.kind === 'on_call' ? 'pill s-on_hold' : 'pill'}>{t(shift.kind === 'on_call' ? 'shift_on_call' : 'shift_work')}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </main>
    </>
  )
}
