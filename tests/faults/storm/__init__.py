"""Everything that can go wrong with a worker, at random times, and SIGTERM in the middle of it.

    python -m tests.faults.storm --minutes 3 --seed 7

A worker of four processes and one whose activities have processes of their own, both programs around `run_worker`, work
through a relay for a server that keeps its data in an SQLite file. Workflows are started all the time, each with
activities on the event loop, on threads, in processes, local and heartbeating, a timer, signals, an update and a child.
Meanwhile rounds of one or two faults follow each other, by the seed: `faults.py` has them. In most rounds the programs
get SIGTERM in the middle of the faults, and others take their place once they have ended.

In the end every workflow must have ended exactly once, with the result or the failure that it should have and a history
with each activity completed once; each program must have ended in time with the exit code that
`docs/worker-processes.md` promises, and have left neither process nor connection. The table says for each fault how
often it happened, how many workflows were open then, and which of these were lost, doubled or late.

Exit codes: 0, all is well; 1, something is not. Runs on Linux.

- `switches.py`: what the storm turns on and off in all processes at once
- `trouble.py`: codec, converter and interceptors that raise now and then
- `errands.py`: workflows and activities
- `program.py`: the worker programs
- `crew.py`: has the programs run, and end
- `load.py`: starts workflows and looks after them; `histories.py` reads what became of them
- `faults.py`: the faults
- `__main__.py`: the storm
"""
