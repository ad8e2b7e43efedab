import type { JSX } from 'preact'
import { t, type Key } from '../words'
import { FormDialog, Labelled } from './forms'

/** Asks for a typed word before what cannot be undone. */
export function EraseDialog({ hint, about, erase, onClose }: { hint: Key; about: string; erase: () => Promise<void>; onClose: () => void }): JSX.Element {
  const word = t('erase_word')
  return (
    <FormDialog title="erase" hint={hint} save={erase} onClose={onClose}>
      <p><strong>{about}</strong></p>
      <Labelled name="word" label={t('erase_confirm', { word })}>
        {(tied) => <input {...tied} required pattern={word} autocomplete="off" />}
      </Labelled>
    </FormDialog>
  )
}
