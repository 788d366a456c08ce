-- Run with package.cpath at the folder of the module that probe.c becomes.
local probe = require "probe"

assert(probe.count() == 24)
