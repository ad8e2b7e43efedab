import type { BoardEngineer, BoardTicket, Candidate, TicketView } from '../src/wire'

export function ticket(given: Partial<BoardTicket> = {}): BoardTicket {
  return {
    ticket_id: '00000000-0000-7000-8000-000000000001', ticket_no: 'P1', status: 'open', version: 1, priority: 'normal',
    work_type: { code: 'leak', name: { zh: '漏水', en: 'Leak' }, duration_min: 45, completion_photos: 2, check_in_radius_m: 150 },
    description: '厨房漏水', address: '人民路 1 号', site: { lon: 118.6, lat: 24.9, datum: 'wgs84' }, territory_id: null, window: null, due_at: null,
    created_at: '2026-11-22T08:00:00Z', updated_at: '2026-11-22T08:00:00Z', source: 'dispatcher', attention: null, urged: 0, visit_id: null,
    engineer_id: null, engineer_name: null, acknowledged: false, offers_pending: 0, offer_expires_at: null, hold_until: null, eta_at: null, allowed_actions: [],
    ...given,
  }
}

export function view(given: Partial<TicketView> = {}): TicketView {
  return {
    ticket: ticket(), door: null, contact: { name: 'Chen', phone: '138 0013 8000' }, language: 'zh', customer_link: null, crew: [], offers: [],
    evidence: [], acceptances: [], quote: null, history: [], ...given,
  }
}

export function engineer(given: Partial<BoardEngineer> = {}): BoardEngineer {
  return {
    engineer_id: 'ana', name: 'Ana', territory_id: null, contractor: false, skills: {}, on_shift: true, position: { lon: 118.61, lat: 24.91, datum: 'wgs84' },
    position_at: '2026-11-22T08:00:00Z', status: 'free', ticket_id: null, open_tickets: 0, planned_min: 0, limit_min: 480, ...given,
  }
}

export function candidate(given: Partial<Candidate> = {}): Candidate {
  return { engineer_id: 'ana', name: 'Ana', eligible: true, rank: 1, score: 10, parts: {}, refusals: [], travel_s: 600, distance_m: 4_000, ...given }
}
