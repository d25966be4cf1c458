/** docker's --security-opt. Pure. */
import {WherryError} from '../errors.ts';

export interface SecurityOptions {
	/** A profile as JSON, `unconfined`, `builtin`, or undefined. */
	seccomp: string | undefined;
	noNewPrivileges: boolean;
	/** Whether paths of /proc and /sys are masked and read-only. */
	systemPaths: boolean;
	writableCgroups: boolean;
	/** A name, `unconfined`, or undefined for what the host and the container's kind say. */
	apparmor: string | undefined;
	/** `disable`, `type:container_t`, ... */
	labels: string[];
}

const truths: Record<string, boolean> = {
	...{'1': true, t: true, T: true, true: true, TRUE: true, True: true},
	...{'0': false, f: false, F: false, false: false, FALSE: false, False: false},
};

/** Throws `invalid`. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
	const parsed: SecurityOptions = {
		seccomp: undefined,
		noNewPrivileges: false,
		systemPaths: true,
		writableCgroups: false,
		apparmor: undefined,
		labels: [],
	};
	for (const option of options) {
		const refuse = (what: 1 | 2): never => {
			throw new WherryError('invalid', `invalid --security-opt ${what}: ${JSON.stringify(option)}`);
		};
		if (option === 'no-new-privileges') {
			parsed.noNewPrivileges = true;
			continue;
		}
		if (option === 'disable') {
			parsed.labels.push('disable');
			continue;
		}
		// With a colon it is docker's old way.
		const split = option.includes('=') ? option.indexOf('=') : option.indexOf(':');
		if (split < 0) refuse(1);
		const key = option.slice(0, split);
		const value = option.slice(split + 1);
		const flag = (): boolean => (Object.hasOwn(truths, value) ? truths[value]! : refuse(2));
		switch (key) {
			case 'label':
				parsed.labels.push(value);
				break;
			case 'apparmor':
				parsed.apparmor = value;
				break;
			case 'seccomp':
				parsed.seccomp = value;
				break;
			case 'no-new-privileges':
				parsed.noNewPrivileges = flag();
				break;
			case 'writable-cgroups':
				parsed.writableCgroups = flag();
				break;
			case 'systempaths':
				if (value !== 'unconfined') refuse(2);
				parsed.systemPaths = false;
				break;
			default:
				refuse(2);
		}
	}
	return parsed;
}
