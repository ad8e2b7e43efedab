/** What a problem code of the server, or a failed request, means and what to do; keys are `problem_code`. */

import type { Catalogue } from '../words'

export const problems = {
  problem_offline: ['网络已断开，请检查连接', 'There is no connection. Check the network.'],
  problem_timeout: ['服务器 5 秒内没有应答，请重试', 'The server did not answer within 5 seconds. Try again.'],
  problem_unreachable: ['连不上服务器，请稍后重试', 'The server cannot be reached. Try again in a moment.'],
  problem_internal: ['服务器出错，未做任何更改。编号 {trace_id}', 'The server failed and changed nothing. Trace {trace_id}'],
  problem_unexpected: ['操作未完成（{code}）', 'That did not work ({code}).'],

  problem_signin_required: ['登录已失效，请重新登录', 'You are signed out. Sign in again.'],
  problem_signed_out: ['登录已失效，请重新登录', 'You are signed out. Sign in again.'],
  problem_signin_failed: ['账号或密码不正确', 'The sign-in name or the password is wrong.'],
  problem_signin_wrong: ['账号或密码不正确', 'The sign-in name or the password is wrong.'],
  problem_too_many_tries: ['尝试次数过多，请稍后再试', 'Too many tries. Wait a while.'],
  problem_too_many_requests: ['操作过于频繁，请稍后再试', 'Too many requests. Wait a moment.'],
  problem_csrf_failed: ['页面已过期，请刷新', 'This page is out of date. Reload it.'],
  problem_csrf_invalid: ['页面已过期，请刷新', 'This page is out of date. Reload it.'],
  problem_forbidden: ['没有权限', 'You may not do this.'],
  problem_action_forbidden: ['「{action}」不能由您操作', '“{action}” is not yours to do.'],
  problem_not_found: ['没有找到，或已被移除', 'Not found, or no longer there.'],

  problem_conflict: ['内容刚刚被更改，已刷新', 'It changed a moment ago. The page now shows the latest.'],
  problem_action_not_allowed: ['工单现在是「{status}」，不能「{action}」，页面已刷新', 'The ticket is now “{status}”, so “{action}” is not possible. The page is up to date.'],
  problem_action_not_ready: ['还缺少：{missing}', 'Still missing: {missing}.'],
  problem_action_unknown: ['服务器不认识该操作', 'The server does not know this action.'],
  problem_offer_gone: ['派单已失效', 'That offer is no longer live.'],
  problem_ticket_taken: ['工单已被他人接走', 'Someone else has the ticket.'],
  problem_engineer_unknown: ['没有这位工程师', 'No such engineer.'],
  problem_engineer_busy: ['该工程师正在途中或服务中', 'The engineer is on the way or on site elsewhere.'],
  problem_reason_unknown: ['原因不在列表中', 'That reason is not in the list.'],
  problem_work_type_unknown: ['没有这种服务类型', 'No such work type.'],
  problem_site_missing: ['工单缺少服务地址坐标', 'The ticket has no position for its site yet.'],
  problem_window_invalid: ['预约时段的结束要晚于开始', 'The window must end after it starts.'],
  problem_request_invalid: ['填写有误：{fields}', 'Please check: {fields}.'],
  problem_command_id_reused: ['同一操作编号被重复使用', 'This command id was used for something else.'],
  problem_command_in_progress: ['上一次提交还在处理中', 'The same command is still being done.'],
  problem_tenant_unknown: ['没有这家企业', 'No such company.'],
  problem_tenant_setting_invalid: ['企业设置有误：{setting}', 'A company setting is wrong: {setting}.'],
} as const satisfies Catalogue
