/**
 * A test that reads a pid of a container that isn't running has 0, which to kill(2) is everything that the tests run
 * in. Such a signal is an error.
 */
const kill = process.kill;

process.kill = (pid, signal) => {
	const group = Math.abs(pid);
	if (!Number.isInteger(pid) || group < 2)
		throw new RangeError(`a signal to ${pid} would reach other processes`);
	return kill.call(process, pid, signal);
};
