-- What wrk sends: `wrk … -s requests.lua URL -- KIND CREDENTIALS FROM COUNT [TOKENS [PAUSE]]`.
--
-- KIND is `get`, `token`, `collect` or `introspect`. CREDENTIALS holds the value of an Authorization header on each line; COUNT of them
-- are used in turn, beginning after the first FROM. `collect` writes each token it gets to TOKENS, one a line; `introspect` asks about
-- those in TOKENS, in turn. With PAUSE each connection rests before each request, that many milliseconds on average.

local requests, index = {}, 0

local function lines(path, from, count)
    local taken, number = {}, 0
    for line in io.lines(path) do
        number = number + 1
        if number > from then taken[#taken + 1] = line end
        if #taken == count then break end
    end
    return taken
end

local function form(authorization, body)
    local headers = {
        ["Authorization"] = authorization,
        ["Content-Type"] = "application/x-www-form-urlencoded",
    }
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
end

function init(args)
    local kind, tokens, pause = args[1], args[5], tonumber(args[6] or 0)
    math.randomseed(os.time())
    if pause > 0 then
        delay = function() return math.random(0, 2 * pause) end
    end
    if kind == "get" then
        requests[1] = wrk.format("GET")
        return
    end
    local credentials = lines(args[2], tonumber(args[3]), tonumber(args[4]))
    if kind == "introspect" then
        for token in io.lines(tokens) do form(credentials[1], "token=" .. token) end
        return
    end
    for _, authorization in ipairs(credentials) do form(authorization, "grant_type=client_credentials") end
    if kind == "collect" then
        local file = assert(io.open(tokens, "w"))
        response = function(_, _, body)
            local token = body:match('"access_token":"([^"]+)"')
            if token then file:write(token, "\n") end
        end
    end
end

function request()
    index = index % #requests + 1
    return requests[index]
end

-- Requests a second, how many failed, and the 50th and 99th percentile of the latency in microseconds.
function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    local rate = summary.requests / summary.duration * 1e6
    io.write(string.format("FIGURES %.1f %d %d %d\n", rate, failed, latency:percentile(50), latency:percentile(99)))
end
