import { render } from 'preact'
import '../../shared/tokens.css'
import './styles/base.css'
import './styles/frame.css'
import './styles/queue.css'
import './styles/ticket.css'
import './styles/pages.css'
import './styles/bulk.css'
import './styles/admin.css'
import './styles/touch.css'
import { App } from './app'
import { start } from './state'

render(<App />, document.getElementById('app')!)
void start()
