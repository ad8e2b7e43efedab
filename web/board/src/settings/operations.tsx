import type { ComponentChildren, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { ageText, durationText } from '../../../shared/formats'
import { Icon } from '../parts/icons'
import { now } from '../state'
import { label, language, t, tryText, type Key } from '../words'
import { FailedJobs } from './failed_jobs'
import { Part, Table, useLoaded, when } from './parts'
import { readOperations, type DeviceHealth, type OperationsReply } from './settings_api'

const EVERY_MS = 15_000
const SILENT_S = 900

type Tone = 'good' | 'warn' | 'bad'

/** What an operator looks at: is anything stuck, silent, or too old? What rings comes first, with what to do. */
export function Operations(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readOperations)
  useEffect(() => {
    const timer = setInterval(() => document.hidden || void reload(), EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  if (!value) return waiting!
  return (
    <>
      <Alarms codes={value.alarms} />
      <ul class="tiles">{tilesOf(value).map((tile) => <Tile key={tile.name} {...tile} />)}</ul>
      {value.datum_warnings.length > 0 && <DatumWarnings value={value} />}
      <Part title="failed_jobs" lead="failed_lead">
        <FailedJobs />
      </Part>
      <Devices devices={value.devices} />
      <Part title="operations_channels" lead="operations_channels_lead">
        <Table
          name="operations_channels"
          rows={value.channels}
          id={(one) => one.channel}
          empty="operations_channels_none"
          columns={[
            { name: 'operations_channel', cell: (one) => <strong>{label('channel', one.channel)}</strong> },
            { name: 'operations_sent', cell: (one) => one.sent, number: true },
            { name: 'operations_failed', cell: (one) => (one.failed ? <b class="bad">{one.failed}</b> : 0), number: true },
            { name: 'operations_waiting', cell: (one) => one.waiting, number: true },
          ]}
        />
      </Part>
      <Part title="operations_learned" lead="operations_learned_lead">
        <Table
          name="operations_learned"
          rows={value.learned}
          id={(one) => one.kind}
          empty="operations_learned_none"
          columns={[
            { name: 'operations_from', cell: (one) => label('learned', one.kind) },
            { name: 'operations_observed', cell: (one) => one.observed, number: true },
            { name: 'operations_rejected', cell: (one) => one.rejected, number: true },
            { name: 'operations_at', cell: (one) => when(one.learned_at) },
          ]}
        />
      </Part>
      <Machine value={value} />
    </>
  )
}

function Alarms({ codes }: { codes: string[] }): JSX.Element {
  if (!codes.length) return <p class="all-well" role="status"><Icon name="tick" /> {t('alarms_none')}</p>
  return (
    <div class="alarms" role="alert" aria-label={t('alarms')}>
      {codes.map((code) => (
        <div key={code} class="alarm"><Icon name="alert" /><div><strong>{label('alarm', code)}</strong><p>{tryText(`alarm_${code}_do`) ?? ''}</p></div></div>
      ))}
    </div>
  )
}

interface TileFacts {
  name: Key
  value: ComponentChildren
  tone: Tone
  note: string
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`
const span = (seconds: number): string => durationText(Math.ceil(seconds / 60) * 60_000, language.value)

function tilesOf({ alarms, queues, backup, disk, roads, datum_warnings, workers, relays }: OperationsReply): TileFacts[] {
  const rings = (...codes: string[]): boolean => codes.some((code) => alarms.includes(code))
  const backupAge = backup ? ageText(Date.now() - Date.parse(backup.made_at), language.value) : t('operations_never')
  return [
    { name: 'tile_waiting', value: queues.todo + queues.doing, tone: rings('jobs_late', 'no_worker') ? 'bad' : 'good', note: t('tile_waiting_note', { workers, age: span(queues.oldest_job_s) }) },
    { name: 'tile_outbox', value: queues.outbox, tone: rings('outbox_grows', 'no_relay') ? 'bad' : 'good', note: t('tile_outbox_note', { relays, age: span(queues.oldest_outbox_s) }) },
    { name: 'tile_timers', value: queues.timers_overdue, tone: rings('timers_late') ? 'bad' : 'good', note: t('tile_timers_note') },
    { name: 'tile_failed', value: queues.failed, tone: queues.failed ? 'bad' : 'good', note: t(queues.failed ? 'tile_failed_bad' : 'tile_failed_good') },
    {
      name: 'tile_backup', value: backupAge, tone: rings('backup_old') ? 'bad' : rings('backup_unverified') ? 'warn' : 'good',
      note: backup?.verified_at ? t('tile_backup_verified', { time: when(backup.verified_at) }) : t('tile_backup_unverified'),
    },
    { name: 'tile_disk', value: gigabytes(disk.free_bytes), tone: rings('disk_low') ? 'bad' : 'good', note: t('tile_disk_note', { total: gigabytes(disk.total_bytes) }) },
    {
      name: 'tile_roads', value: t(roads.status === 'answering' ? 'roads_by_road' : 'roads_estimated'), tone: roads.status === 'answering' ? 'good' : 'warn',
      note: t(`roads_${roads.status}_note`, { time: roads.imported_at ? when(roads.imported_at) : '–' }),
    },
    { name: 'tile_datum', value: datum_warnings.length, tone: datum_warnings.length ? 'warn' : 'good', note: t(datum_warnings.length ? 'tile_datum_bad' : 'tile_datum_good') },
  ]
}

function Tile({ name, value, tone, note }: TileFacts): JSX.Element {
  return (
    <li class="tile" data-tone={tone}>
      <span class="tile-name">{t(name)}</span>
      <strong>{value}</strong>
      <small>{note}</small>
    </li>
  )
}

function Devices({ devices }: { devices: DeviceHealth[] }): JSX.Element {
  return (
    <Part title="operations_devices" lead="operations_devices_lead">
      <Table
        name="operations_devices"
        rows={devices}
        id={(one) => one.engineer_id}
        off={(one) => !one.on_shift}
        empty="operations_devices_none"
        columns={[
          { name: 'engineer', cell: (one) => <><strong>{one.name}</strong> {one.on_shift ? <span class="tag">{t('operations_on_shift')}</span> : <small>{t('operations_off_shift')}</small>}</> },
          { name: 'operations_device', cell: (one) => one.device ?? '–' },
          { name: 'operations_seen', cell: (one) => (one.seen_at ? ageText(now.value - Date.parse(one.seen_at), language.value) : t('operations_never')) },
          { name: 'operations_position', cell: (one) => <Age seconds={one.position_age_s} loud={one.on_shift} /> },
          { name: 'operations_push', cell: (one) => (one.push_failed ? <span class="tag" data-tone="warn">{t('operations_push_failed', { n: one.push_failed })}</span> : t(one.push_targets ? 'operations_push_on' : 'operations_push_off')) },
        ]}
      />
    </Part>
  )
}

function Age({ seconds, loud }: { seconds: number | null; loud: boolean }): JSX.Element {
  if (seconds === null) return <span class={loud ? 'age' : 'faint'} data-stale={loud}>{t('operations_never')}</span>
  return <span class="age" data-stale={loud && seconds > SILENT_S}>{ageText(seconds * 1_000, language.value)}</span>
}

function DatumWarnings({ value }: { value: OperationsReply }): JSX.Element {
  return (
    <Part title="datum_warnings" lead="datum_warnings_lead">
      <Table
        name="datum_warnings"
        rows={value.datum_warnings}
        id={(one) => one.engineer_id}
        empty="tile_datum_good"
        columns={[
          { name: 'engineer', cell: (one) => <strong>{one.name}</strong> },
          { name: 'datum_declared', cell: (one) => `${one.declared.toUpperCase()} (${Math.round(one.declared_median_m)} m)` },
          { name: 'datum_fits', cell: (one) => `${one.fits.toUpperCase()} (${Math.round(one.fits_median_m)} m)` },
          { name: 'operations_observed', cell: (one) => one.positions, number: true },
        ]}
      />
    </Part>
  )
}

/** Processes of this host, versions, and what was refused under load. */
function Machine({ value }: { value: OperationsReply }): JSX.Element {
  const { versions, processes, shed } = value
  const refused = shed.work + shed.write + shed.phone + shed.read
  return (
    <Part title="operations_versions">
      <dl class="versions">
        {Object.entries(versions).filter(([name]) => name !== 'migration_known').map(([name, version]) => (
          <div key={name}>
            <dt>{label('version', name)}</dt>
            <dd>
              <code>{version ?? '–'}</code>
              {name === 'migration' && version !== versions.migration_known && <> <span class="tag" data-tone="warn">{t('version_behind', { known: versions.migration_known })}</span></>}
            </dd>
          </div>
        ))}
        <div><dt>{t('operations_shed')}</dt><dd>{refused}</dd></div>
        {processes.map((one) => (
          <div key={one.name}>
            <dt><code>{one.name}</code></dt>
            <dd>{t(one.alive ? 'process_alive' : 'process_dead')}{one.restarts > 0 && ` · ${t('process_restarts', { n: one.restarts })}`}</dd>
          </div>
        ))}
      </dl>
    </Part>
  )
}
