/** Which streams a session has. */
import type {StreamOptions} from '../api.ts';
import type {ContainerRecord} from './record.ts';

/** A terminal has one output: stderr is in stdout, and ends at once as a stream of its own. */
export function wantedStreams(record: ContainerRecord, options: StreamOptions): StreamOptions {
	return record.Config.Tty ? {...options, stderr: false} : options;
}
