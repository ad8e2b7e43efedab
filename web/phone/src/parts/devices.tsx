import { useEffect, useState } from 'preact/hooks'
import { api } from '../core/app'
import type { DeviceCard } from '../core/wire'
import { longTime, t } from '../core/words'

/** Where this engineer is signed in, and a way to end it; shown only while the server answers. */
export function Devices() {
  const [devices, setDevices] = useState<DeviceCard[]>([])
  const read = () => api.devices().then(setDevices, () => undefined)
  useEffect(() => void read(), [])
  if (devices.length === 0) return null
  return (
    <section class="card settings">
      <p class="item">
        <span>
          {t('devices')}
          <small class="sub">{t('devices_hint')}</small>
        </span>
      </p>
      {devices.map((device) => (
        <div class="item" key={device.device_id}>
          <span>
            {device.device || t('device_unnamed')}
            <small class="sub">{device.current ? t('device_this') : t('device_seen', { time: longTime(device.seen_at) })}</small>
          </span>
          {!device.current && (
            <button type="button" class="plain" onClick={() => void api.revokeDevice(device.device_id).then(read, read)}>
              {t('device_sign_out')}
            </button>
          )}
        </div>
      ))}
    </section>
  )
}
