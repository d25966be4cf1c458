/**
 * Errors that docker 20.10's daemon or client words in another way than docker of today. Applied to docker's masked
 * answers, in this order.
 */
export const newerWording: readonly {old: RegExp; now: string}[] = [
	// The client of 20.10: the program's name, quotes and words around the command.
	{old: /^"(docker [^"]+)" (requires|accepts)(?: exactly)?(.*)\.$/gm, now: "docker: '$1' $2$3"},
	{old: /^docker: '(.*)' is not a docker command\.$/gm, now: 'docker: unknown command: docker $1'},
	{
		old: /^Conflicting options: -a and -d$/gm,
		now: 'conflicting options: cannot specify both --attach and --detach',
	},
	{
		old: /Conflicting options: --restart and --rm/g,
		now: 'conflicting options: cannot specify both --restart and --rm',
	},
	{
		old: /docker: maximum retry count must be an integer/g,
		now: 'docker: invalid restart policy format: maximum retry count must be an integer',
	},
	{old: /is not whitelisted$/gm, now: 'is not allowed'},
	{old: /repository name must be lowercase/g, now: 'repository name (library/UPPER) must be lowercase'},
	{old: /"-t, --time" flag/g, now: '"-t, --timeout" flag'},
	{old: /poorly formatted environment: (no variable name on line '=x')/g, now: 'invalid env file (bad): $1'},
	{
		old: /poorly formatted environment: (variable 'Y ' contains whitespaces)/g,
		now: 'invalid env file (env): $1',
	},
	{
		old: /count must be an integer: strconv\.Atoi: parsing "(.*)": invalid syntax/g,
		now: 'invalid count ($1): value must be either "all" or an integer: invalid syntax',
	},
	{
		old: /^(Error: )(.*)\nError: failed to rename container named .*$/gm,
		now: 'failed to rename container: Error: $2',
	},
	{old: /^You cannot attach to a/gm, now: 'cannot attach to a'},
	{old: /^Unable to parse logging level/gm, now: 'unable to parse logging level'},
	// go-connections of today.
	{old: /Invalid ip address: /g, now: 'invalid IP address: '},
	{old: /No port specified: /g, now: 'no port specified: '},
	{old: /Invalid (containerPort|hostPort|proto|ranges)\b/g, now: 'invalid $1'},
	{old: /Empty string specified for ports\./g, now: 'empty string specified for ports'},
	{old: /Invalid range specified for the Port: /g, now: 'invalid range specified for port: '},
	{old: /error: invalid range specified for port: 90-80/g, now: 'error: invalid port range'},
	{old: /^DEPRECATED: The legacy builder [\s\S]*?buildx\/\n+/g, now: ''},
	{
		old: /^WARNING: Error loading config file: (\S+): (?=invalid character|unexpected)/gm,
		now: 'WARNING: Error parsing config file ($1): ',
	},
	{old: /Invalid network mode: invalid container format/g, now: 'invalid container format'},
	{old: /Error: Limit (\d+) is outside/g, now: 'Error: limit $1 is outside'},
	{old: /[Ii]nvalid filter 'stars=x'/g, now: "invalid filter 'stars=[x]'"},
	{
		old: /Error: Invalid subnet (\S*) : invalid CIDR address: .*/g,
		now: 'Error: invalid network config:\ninvalid subnet $1: invalid CIDR block notation',
	},
	{
		old: /\S+ matches found based on ID prefix: network (\S+) is ambiguous/g,
		now: 'network $1 is ambiguous (<n> matches found based on ID prefix)',
	},
	{
		old: /container cannot be disconnected from host network or connected to host network/g,
		now: 'cannot connect container to host network - container must be created in host network mode',
	},
	{
		old: /invalid value for filter 'dangling', must be .*/g,
		now: "invalid filter 'dangling=[x]'",
	},
	{
		old: /Error: syntax error in pattern$/gm,
		now: "Error: invalid filter 'reference=[': syntax error in pattern",
	},
	{old: /\nexit status 1$/g, now: ''},
	{old: /pathcannot be empty/g, now: 'path cannot be empty'},
	// It tells of a connection that 20.10's client loses by itself.
	{old: /\n?time="<time>" level=error msg="error waiting for container: context canceled"(?=\n|$)/g, now: ''},
	// What it logs when the container is not one that can be written to.
	{old: /time="<time>" level=error msg="Can't (add file|close tar writer)[^\n]*\n?/g, now: ''},
	// The daemon: small letters, and more to say.
	{old: /Cannot kill container: /g, now: 'cannot kill container: '},
	{old: /The linux daemon does not/g, now: 'the linux daemon does not'},
	{old: /\bContainer <id> is (not|already)/g, now: 'container <id> is $1'},
	{old: /Error: Invalid signal: (\S+)/g, now: 'Error: invalid signal: $1'},
	{old: /No command specified/g, now: 'no command specified'},
	{old: /Invalid IPC mode/g, now: 'invalid IPC mode'},
	{old: /Unknown runtime specified (\S+)/g, now: 'unknown or invalid runtime name: $1'},
	{old: /^Error: invalid signal: (\S+)$/gm, now: 'Error: cannot kill container: <name>: invalid signal: $1'},
	{old: /Invalid isolation/g, now: 'invalid isolation'},
	{
		old: /Error: driver failed programming/g,
		now: 'Error: failed to set up container networking: driver failed programming',
	},
	{old: /Error: Container (\S+) is paused, unpause/g, now: 'Error: container $1 is paused, unpause'},
	{old: /Range of CPUs/g, now: 'range of CPUs'},
	{old: /Invalid filter '/g, now: "invalid filter '"},
	{
		old: /invalid restart policy '(.*)'$/gm,
		now: "invalid restart policy: unknown policy '$1'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
	},
	{
		old: /maximum retry count cannot be used with restart policy '(always|no|unless-stopped)'/g,
		now: "invalid restart policy: maximum retry count can only be used with 'on-failure'",
	},
	{
		old: /Error: maximum retry count cannot be negative/g,
		now: 'Error: invalid restart policy: maximum retry count cannot be negative',
	},
	{
		old: /You cannot remove a running container <id>\. .*/g,
		now: 'cannot remove container "/<name>": container is running: stop the container before removing or force remove',
	},
	{
		old: /You cannot remove a paused container <id>\. .*/g,
		now: 'cannot remove container "/<name>": container is paused and must be unpaused first',
	},
	{old: /No such volume: (\S+)/g, now: 'get $1: no such volume'},
	{old: /no such image: (\S+): No such image/g, now: 'No such image'},
	{
		old: /error while looking up for publish x: .*/g,
		now: 'error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax',
	},
];
