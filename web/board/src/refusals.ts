/** The match's numbers as sentences: why a rule refused, and what made one score lower than another. */

import { distanceText, durationText } from '../../shared/formats'
import { label, language, own, tryText } from './words'
import { readable, type Facts } from '../../shared/words'
import type { Candidate, CatalogueReply, Refusal } from './wire'

const minutes = (value: unknown): string => durationText(Number(value) * 60_000, language.value)
const seconds = (value: unknown): string => durationText(Math.ceil(Number(value) / 60) * 60_000, language.value)

function skillName(code: unknown, catalogue: CatalogueReply | null): string {
  const found = catalogue?.skills.find((skill) => skill.code === code)
  return found ? own(found.name) : readable(String(code))
}

function territoryName(id: unknown, catalogue: CatalogueReply | null): string {
  const found = catalogue?.territories.find((territory) => territory.territory_id === id)
  return found ? own(found.name) : String(id ?? '')
}

type Fill = (facts: Facts, catalogue: CatalogueReply | null) => Facts

/** How each rule's numbers are written. A rule absent here has no numbers. */
const FILLS: Record<string, Fill> = {
  skill: (f, c) => ({ ...f, skill: skillName(f['skill'], c) }),
  certificate: (f, c) => ({ ...f, skill: skillName(f['skill'], c) }),
  territory: (f, c) => ({ needs: territoryName(f['needs'], c), has: territoryName(f['has'], c) }),
  workload: (f) => ({ planned: minutes(f['planned_min']), visit: minutes(f['visit_min']), limit: minutes(f['limit_min']) }),
  too_far: (f) => ({ travel: seconds(f['travel_s']), limit: seconds(f['limit_s']) }),
  arrives_late: (f) => ({ travel: seconds(f['travel_s']), late: seconds(f['late_s']) }),
  refused_before: (f) => ({ reason: label('reason', String(f['reason'] ?? 'other')) }),
}

/** One refusal as a sentence. A rule this page does not know shows its name and its numbers as they came. */
export function refusalText(refusal: Refusal, catalogue: CatalogueReply | null): string {
  const { rule, ...facts } = refusal
  const key = rule === 'skill' && facts['has'] === 0 ? 'rule_skill_lacking' : `rule_${rule}`
  const text = tryText(key, (FILLS[rule] ?? ((f) => f))(facts, catalogue))
  if (text) return text
  const numbers = Object.entries(facts).map(([name, value]) => `${readable(name)} ${String(value)}`)
  return numbers.length ? `${readable(rule)}: ${numbers.join(', ')}` : readable(rule)
}

/** The score part that most makes `worse` worse than `better`; null when no part does. */
export function decidingPart(better: Candidate, worse: Candidate): string | null {
  let found: string | null = null
  let most = 0
  for (const part of Object.keys(worse.parts)) {
    const difference = (worse.parts[part] ?? 0) - (better.parts[part] ?? 0)
    if (difference > most) [found, most] = [part, difference]
  }
  return found
}

/** "18 min · 7.4 km", or an empty text when neither is known. */
export function travelText(candidate: Pick<Candidate, 'travel_s' | 'distance_m'>): string {
  const parts = [
    candidate.travel_s === null ? null : seconds(candidate.travel_s),
    candidate.distance_m === null ? null : distanceText(candidate.distance_m, language.value),
  ]
  return parts.filter(Boolean).join(' · ')
}

/** A score to one place, without a trailing zero. */
export function scoreText(score: number): string {
  return String(Math.round(score * 10) / 10)
}
