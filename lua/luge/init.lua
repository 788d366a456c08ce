local tasks = require "luge.native.task"
local sync = require "luge.native.sync"
local luge = {}
for k, v in pairs(tasks) do luge[k] = v end
for k, v in pairs(sync) do luge[k] = v end
luge.queue = require "luge.native.queue".queue
return luge
