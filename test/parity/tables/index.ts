import type {Table} from '../table.ts';
import {commandLine} from './command-line.ts';
import {events} from './events.ts';
import {filters, formats, host} from './formats.ts';
import {inspect, reports} from './inspect.ts';
import {archives, registries} from './later.ts';
import {create, stop} from './life.ts';
import {images, ps} from './lists.ts';
import {mountedVolumes, mounts, volumes} from './mounts.ts';
import {links, networks} from './networks.ts';
import {imageChildren, packedArchives, startRefusals} from './refusals.ts';
import {runLimits, runProcess, runStreams} from './run.ts';
import {several, states} from './state.ts';
import {structure} from './structure.ts';
import {suiteRuns} from './suites.ts';
import {ambiguous, unknown} from './unknown.ts';
import {help, usage} from './usage.ts';
import {values} from './values.ts';
import {exec, files, logs} from './work.ts';

export const tables: readonly Table[] = [
	commandLine,
	runProcess,
	runStreams,
	runLimits,
	mounts,
	volumes,
	mountedVolumes,
	create,
	stop,
	ps,
	images,
	exec,
	logs,
	files,
	inspect,
	reports,
	events,
	networks,
	links,
	registries,
	archives,
	startRefusals,
	imageChildren,
	packedArchives,
	usage,
	values,
	help,
	unknown,
	ambiguous,
	states,
	several,
	formats,
	host,
	filters,
	structure,
	suiteRuns,
];
