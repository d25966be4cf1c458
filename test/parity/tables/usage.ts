import {each, lines, spaced, type Table} from '../table.ts';

/** What needs arguments, by its long name. */
const needy = `
	container.attach container.commit container.cp container.create container.diff container.exec container.export
	container.inspect container.kill container.logs container.pause container.port container.rename
	container.restart container.rm container.run container.start container.stop container.top container.unpause
	container.update container.wait image.history image.import image.inspect image.pull image.push image.rm
	image.save image.tag network.connect network.create network.disconnect network.inspect network.rm
	volume.inspect volume.rm inspect build image.build`;

/** A flag that takes a value, of each command that has one. */
const valued = `
	attach.--detach-keys commit.--author commit.-m commit.--change create.--name create.-e create.--memory
	create.--restart exec.--env exec.-w exec.--user export.-o events.--since events.--until events.-f history.--format
	images.--filter images.--format image.ls.-f image.prune.--filter import.-c import.--message info.--format
	info.-f inspect.--type inspect.-f kill.-s kill.--signal load.-i login.-u logs.--tail logs.-n logs.--since
	network.connect.--ip network.create.-d network.create.--subnet network.inspect.-f network.ls.--format
	network.prune.--filter ps.--format ps.-n ps.--last pull.--platform restart.-t run.--name run.-v run.-p
	run.--network run.--cpus run.-h save.-o search.--limit search.-f start.--detach-keys stats.--format stop.-t
	system.df.--format system.prune.--filter update.--memory update.--cpus update.--restart version.-f
	volume.create.--label volume.create.-o volume.inspect.--format volume.ls.-f volume.prune.--filter`;

/** Words that the command line itself refuses; no object is needed. */
export const usage: Table = {
	name: 'usage: arguments and flags',
	recorded: true,
	pairs: [
		...each(needy, (name) => `docker ${spaced(name)}`),
		...each(
			`attach commit cp create diff events exec export history images import info inspect kill load login logout
			logs pause port ps pull push rename restart rm rmi run save search start stats stop tag top unpause update
			version wait`,
			(name) => `docker ${name} --nonsense`,
		),
		...each(
			`image.ls image.prune image.rm network.connect network.create network.disconnect network.inspect network.ls
			network.prune network.rm volume.create volume.inspect volume.ls volume.prune volume.rm system.df system.events
			system.info system.prune container.ls container.prune container.rm container.inspect`,
			(name) => `docker ${spaced(name)} -Z`,
		),
		...each(valued, (word) => `docker ${spaced(word)}`),
		// Too many of them.
		...each(
			`ps images info version events history.a container.prune image.prune network.prune volume.prune system.prune
			network.ls volume.ls system.df load attach.a diff.a export.a logs.a rename.a.b tag.a.b network.connect.a.b
			network.disconnect.a.b network.create.a volume.create.a commit.a.b pull.a push.a import.a.b search.a port.a.b
			cp.a.b build.a login.a logout.a`,
			(words) => `docker ${spaced(words)} toomany`,
		),
	],
};

/** One line for all commands of a noun: its exit code, and where the help goes. */
const helps = (noun: string, commands: string): string[] => [
	`for c in '' ${commands.trim().split(/\s+/).join(' ')}; do docker ${noun} $c --help > out 2> err; echo "$c $? $(head -c 5000 out | grep -c '^Usage:') $(wc -c < err)"; done`,
];

export const help: Table = {
	name: 'usage: help',
	recorded: true,
	pairs: [
		...helps(
			'',
			`attach commit cp create diff events exec export history images import info inspect kill load login logout
			logs pause port ps pull push rename restart rm rmi run save search start stats stop tag top unpause update
			version wait`,
		),
		...helps('container', 'attach create exec inspect ls prune rm run stats'),
		...helps('image', 'history import inspect load ls prune pull push rm save tag'),
		...helps('network', 'connect create disconnect inspect ls prune rm'),
		...helps('volume', 'create inspect ls prune rm'),
		...helps('system', 'df events info prune'),
		...lines`
		docker run --help --nonsense > /dev/null
		docker ps extra --help > /dev/null
		docker stop --help nowhere | head -1
		docker help ps > out; head -c 40 out | grep -c Usage
		docker help container > /dev/null
		docker help container nonsense > /dev/null
		docker help ps extra > /dev/null
		docker help -x
		docker container help > /dev/null
		docker network help create > /dev/null
		docker run -h
		docker ps -h > /dev/null
		docker volume create -h > /dev/null
	`,
		{
			line: 'docker run busybox --help > /dev/null',
			because: "the message is runc's",
			anyError: true,
		},
		{
			line: 'docker -h > /dev/null',
			because: 'a note about a flag is no output',
			stderr: '',
		},
	],
};
