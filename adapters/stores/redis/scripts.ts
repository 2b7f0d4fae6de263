/**
 * The decisions, each one Lua script that Redis runs as one step. `exchange` repeats `src/stores/pool-state.ts` and
 * `src/stores/use-log.ts` line by line; what has to be said about it is said there. Changed together with them.
 */

/**
 * The state of a pool is a hash: the members of `PoolState` as fields, the log as one field of pairs (MessagePack, because it is long),
 * and a field for each holder. Numbers are written with `%.0f`: Lua's own way to print them stops at 14 digits.
 */
export const exchangeScript = `
local KEEP_MS, WANT_MS, MAX_ENTRIES, CELLS = 600000, 3000, 128, 64
local key, name, kind = KEYS[1], ARGV[1], ARGV[2]
local limit, span, taken, hold = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local atLeast, leaseMs = tonumber(ARGV[7]), tonumber(ARGV[8])
local sequence, usedSince = tonumber(ARGV[9]), tonumber(ARGV[10])
local FIRST_USED = 14

local function numbers(text)
  local list = {}
  for each in string.gmatch(text or '', '%S+') do list[#list + 1] = tonumber(each) end
  return list
end
local function text(list)
  local parts = {}
  for i = 1, #list do parts[i] = string.format('%.0f', list[i]) end
  return table.concat(parts, ' ')
end

local state, holders, gone = {}, {}, {}
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  local holder = string.match(fields[i], '^holder:(.*)$')
  if holder then
    local n = numbers(fields[i + 1])
    holders[holder] = {
      held = n[1], expiresAt = n[2], sequence = n[3], want = n[4], ticket = n[5], wantUntil = n[6],
    }
  else
    state[fields[i]] = fields[i + 1]
  end
end

local clock = redis.call('TIME')
local time = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at, since = tonumber(state.at or time), tonumber(state.since or time)
local used, forgetAt = tonumber(state.used or 0), tonumber(state.forgetAt or 0)
local recoversUntil = tonumber(state.recoversUntil or 0)
local tickets = tonumber(state.tickets or 0)
local now = math.max(time, at)

local leavesAt, units, logged = {}, {}, 0
do
  local pairs, count = state.log and cmsgpack.unpack(state.log) or {}, 0
  for i = 1, #pairs, 2 do
    if pairs[i] > now then
      count = count + 1
      leavesAt[count], units[count] = pairs[i], pairs[i + 1]
      logged = logged + pairs[i + 1]
    end
  end
end

local function takeBack(count, until_)
  local rest = count
  for i = #units, 1, -1 do
    if rest <= 0 then break end
    if leavesAt[i] <= until_ then
      local back = math.min(rest, units[i])
      units[i] = units[i] - back
      logged = logged - back
      rest = rest - back
    end
  end
end
local function compact()
  local cellMs = math.max(1, math.ceil(span / CELLS))
  local count, kept = #units, 1
  for i = 2, count do
    local isSameCell = math.floor(leavesAt[i] / cellMs) == math.floor(leavesAt[kept] / cellMs)
    if not isSameCell then kept = kept + 1 end
    units[kept] = isSameCell and units[kept] + units[i] or units[i]
    leavesAt[kept] = leavesAt[i]
  end
  for i = count, kept + 1, -1 do
    units[i] = nil
    leavesAt[i] = nil
  end
end
local function addToLog(count, leaves)
  if count == 0 or leaves <= now then return end
  if count < 0 then return takeBack(-count, leaves) end
  local place = #leavesAt + 1
  while place > 1 and leavesAt[place - 1] > leaves do place = place - 1 end
  logged = logged + count
  if leavesAt[place - 1] == leaves then
    units[place - 1] = units[place - 1] + count
    return
  end
  table.insert(leavesAt, place, leaves)
  table.insert(units, place, count)
  if #leavesAt > MAX_ENTRIES then compact() end
end
local function use(count, takenAt)
  if kind == 'fixed' then used = math.max(0, used + count) end
  if kind == 'sliding' then addToLog(count, takenAt + span + 1) end
end

local function usedAtNow()
  local sum = used + logged
  for _, holder in pairs(holders) do
    if holder.expiresAt <= now then sum = sum + holder.held end
  end
  return sum
end
local function heldByAll()
  local sum = 0
  for _, holder in pairs(holders) do
    if holder.expiresAt > now then sum = sum + holder.held end
  end
  return sum
end
local function liveHolders()
  local count = 0
  for _, holder in pairs(holders) do
    if holder.expiresAt > now then count = count + 1 end
  end
  return count
end
local function wantedByOthers(me, ticket)
  local sum = 0
  for _, holder in pairs(holders) do
    if holder ~= me and holder.wantUntil > now and holder.ticket < ticket then sum = sum + holder.want end
  end
  return sum
end

local keepMs = kind == 'held' and 0 or KEEP_MS
if kind == 'sliding' then keepMs = math.min(KEEP_MS, span) end
for holderName, holder in pairs(holders) do
  if holder.expiresAt + keepMs <= now then gone[#gone + 1] = holderName end
end
for _, holderName in ipairs(gone) do
  local holder = holders[holderName]
  holders[holderName] = nil
  use(holder.held, holder.expiresAt)
end

if ARGV[11] ~= '' then
  local heardAt, agoMs, heardUsed = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
  local isOutdated = heardAt > at
  if isOutdated or heardAt < since then
    if isOutdated then since = now end
    if isOutdated or recoversUntil == 0 then recoversUntil = now + leaseMs end
    local missing = heardUsed - usedAtNow()
    if missing > 0 then use(missing, now - agoMs) end
  end
end
at = now

local function waitMs(count)
  if kind == 'fixed' then return string.format('%.0f', span) end
  local left = logged
  for i = 1, #units do
    left = left - units[i]
    if left <= logged - count then return string.format('%.0f', leavesAt[i] - now) end
  end
  return '-'
end

local function grant(me)
  local free = limit - usedAtNow() - (heldByAll() - me.held)
  local wanted, live = wantedByOthers(me, math.huge), liveHolders()
  local recoverMs = math.max(0, recoversUntil - now)
  if atLeast <= taken then
    me.want = 0
    local keep = math.max(taken, math.min(hold, me.held))
    local rest = recoverMs > 0 and 0 or math.max(0, free - wanted - keep)
    me.held = math.max(keep, math.min(hold, keep + math.floor(rest / live)))
    return '0'
  end
  local isWaiting = me.want > 0 and me.wantUntil > now
  local room = free - wantedByOthers(me, isWaiting and me.ticket or math.huge)
  if recoverMs == 0 and room >= atLeast then
    me.want = 0
    local share = math.floor(math.max(0, free - wanted - atLeast) / live)
    me.held = math.max(atLeast, math.min(hold, atLeast + share))
    return '0'
  end
  me.held = taken
  me.want = atLeast - taken
  if not isWaiting then
    tickets = tickets + 1
    me.ticket = tickets
  end
  me.wantUntil = now + WANT_MS
  return recoverMs > 0 and text({ recoverMs }) or waitMs(atLeast - room)
end

local me = holders[name]
local isLate = me and sequence <= me.sequence
local wait = '0'
if not isLate then
  me = me or { held = 0, sequence = 0, want = 0, ticket = 0, wantUntil = 0 }
  holders[name] = me
  if me.sequence < usedSince then
    for i = FIRST_USED, #ARGV, 2 do
      local count = tonumber(ARGV[i])
      if count > 0 then me.held = me.held - count end
      use(count, now - tonumber(ARGV[i + 1]))
    end
  end
  me.held = math.max(0, me.held)
  me.sequence = sequence
  me.expiresAt = now + leaseMs
  wait = grant(me)
end

local windowMs = kind == 'sliding' and span or 0
local endsInMs = kind == 'fixed' and span + KEEP_MS or 0
forgetAt = math.max(forgetAt, now + leaseMs + windowMs + endsInMs + 60000)

local log = {}
for i = 1, #units do
  log[2 * i - 1], log[2 * i] = leavesAt[i], units[i]
end
for i = 1, #gone do gone[i] = 'holder:' .. gone[i] end
if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
redis.call('HSET', key, 'at', text({ at }), 'since', text({ since }), 'used', text({ used }),
  'tickets', text({ tickets }), 'forgetAt', text({ forgetAt }), 'recoversUntil', text({ recoversUntil }),
  'log', cmsgpack.pack(log), 'holder:' .. name,
  text({ me.held, me.expiresAt, me.sequence, me.want, me.ticket, me.wantUntil }))
redis.call('PEXPIRE', key, text({ forgetAt - now }))
return text({ me.held, usedAtNow(), heldByAll(), wantedByOthers(me, math.huge), now, now < recoversUntil and 1 or 0 })
  .. ' ' .. wait
`;

/** KEYS: the value's. ARGV: value, milliseconds, `1` when only where nothing stands. */
export const setScript = `
if ARGV[3] == '1' then
  local present = redis.call('GET', KEYS[1])
  if present then return present end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`;

/** KEYS: the value's. ARGV: the value that it must have. */
export const deleteScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return '0'
`;
