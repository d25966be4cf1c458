import type {Engine} from '../../engine/api.ts';
import {PullDisplay} from './pull-display.ts';

/** Pushes images one after the other. */
export async function push(engine: Engine, names: readonly string[], quiet: boolean): Promise<void> {
	for (const name of names) {
		const display = quiet ? undefined : PullDisplay.on(2);
		await engine.images.push(name, display ? {onProgress: (event) => display.show(event)} : {});
		display?.end();
	}
}
