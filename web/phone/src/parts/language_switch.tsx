import { chooseLanguage } from '../core/app'
import { language } from '../core/state'
import { t } from '../core/words'

export function LanguageSwitch() {
  return (
    <span class="switch" role="group" aria-label={t('language')}>
      {(['zh', 'en'] as const).map((code) => (
        <button type="button" key={code} aria-pressed={language.value === code} onClick={() => void chooseLanguage(code)}>
          {code === 'zh' ? '中文' : 'English'}
        </button>
      ))}
    </span>
  )
}
