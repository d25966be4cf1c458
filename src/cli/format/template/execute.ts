import {ArgumentError, type TemplateFunction} from './functions.ts';
import {goPrint, isMap, isTrue, Struct, TypedNil, typeName} from './go-value.ts';
import {TemplateError} from './lex.ts';
import {type Command, type Node, type Operand, type Pipe, sourceOf, type Template} from './parse.ts';

export interface ExecuteOptions {
	functions: Readonly<Record<string, TemplateFunction>>;
	/** A key that a map doesn't have is an error, as in docker's inspect; otherwise `<no value>`. */
	missingKeyFails?: boolean;
	/** Fields that are maps in Go too: there a missing key is no error. */
	isMap?: (field: string) => boolean;
	/** How Go would print the nil of this field. */
	nilText?: (field: string) => string | undefined;
}

class Jump {
	readonly kind: 'break' | 'continue';
	constructor(kind: 'break' | 'continue') {
		this.kind = kind;
	}
}

type Scope = [string, unknown][];

function* countTo(end: number): Iterable<[number, number]> {
	for (let at = 0; at < end; at++) yield [at, at];
}

/** Applies a template to data. Throws TemplateError with Go's words. */
export function execute(template: Template, data: unknown, options: ExecuteOptions): string {
	let out = '';
	let depth = 0;
	walkList(template.root, data, [['$', data]], template.name);
	return out;

	function fail(node: Pipe | Command | Operand, message: string, inside: string): never {
		const before = template.text.slice(0, node.at);
		const line = before.split('\n').length;
		const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
		let source = sourceOf(node);
		if (source.length > 20) source = `${source.slice(0, 20)}...`;
		throw new TemplateError(
			`template: ${template.name}:${line}:${column}: executing ${JSON.stringify(inside)} at <${source}>: ${message}`,
		);
	}

	function walkList(nodes: readonly Node[], dot: unknown, scope: Scope, inside: string): void {
		for (const node of nodes) walk(node, dot, scope, inside);
	}

	function walk(node: Node, dot: unknown, scope: Scope, inside: string): void {
		switch (node.kind) {
			case 'text':
				out += node.text;
				break;
			case 'action': {
				const value = evalPipe(node.pipe, dot, scope, inside);
				if (node.pipe.variables.length === 0)
					out += value === undefined || value === null ? '<no value>' : goPrint(value);
				break;
			}
			case 'break':
			case 'continue':
				throw new Jump(node.kind);
			case 'if':
			case 'with': {
				const mark = scope.length;
				const value = evalPipe(node.pipe, dot, scope, inside);
				if (isTrue(value)) walkList(node.list, node.kind === 'with' ? value : dot, scope, inside);
				else if (node.elseList) walkList(node.elseList, dot, scope, inside);
				scope.length = mark;
				break;
			}
			case 'range':
				walkRange(node.pipe, node.list, node.elseList, dot, scope, inside);
				break;
			case 'template': {
				const body = template.defined.get(node.name);
				const at = {kind: 'identifier', at: node.at, name: `{{template ${node.source}}}`} as const;
				if (!body) fail(at, `template ${JSON.stringify(node.name)} not defined`, inside);
				if (++depth > 100) fail(at, 'exceeded maximum template depth (100000)', inside);
				const value = node.pipe ? evalPipe(node.pipe, dot, scope, inside) : undefined;
				walkList(body!, value, [['$', value]], node.name);
				depth--;
			}
		}
	}

	function walkRange(
		pipe: Pipe,
		list: readonly Node[],
		elseList: readonly Node[] | undefined,
		dot: unknown,
		scope: Scope,
		inside: string,
	): void {
		const mark = scope.length;
		// The variables are set for each element, not for the pipeline's value.
		const value = evalPipe({...pipe, variables: []}, dot, scope, inside);
		let entries: Iterable<[unknown, unknown]>;
		if (value === null || value === undefined || value instanceof TypedNil) entries = [];
		else if (Array.isArray(value)) entries = value.entries();
		else if (typeof value === 'number' && Number.isInteger(value)) {
			entries = countTo(value);
		} else if (isMap(value)) {
			entries = Object.keys(value)
				.sort()
				.map((key) => [key, value[key]] as [string, unknown]);
		} else fail(pipe, `range can't iterate over ${goPrint(value)}`, inside);
		let any = false;
		for (const [key, element] of entries) {
			any = true;
			const names = pipe.variables;
			const values = names.length === 2 ? [key, element] : [element];
			for (const [i, name] of names.entries()) {
				if (pipe.assign) assign(scope, name, values[i]);
				else scope.push([name, values[i]]);
			}
			try {
				walkList(list, element, scope, inside);
			} catch (error) {
				if (!(error instanceof Jump)) throw error;
				if (error.kind === 'break') break;
			} finally {
				scope.length = mark;
			}
		}
		if (!any && elseList) walkList(elseList, dot, scope, inside);
		scope.length = mark;
	}

	function assign(scope: Scope, name: string, value: unknown): void {
		const entry = scope.findLast(([known]) => known === name);
		if (entry) entry[1] = value;
	}

	function evalPipe(pipe: Pipe, dot: unknown, scope: Scope, inside: string): unknown {
		let value: unknown;
		pipe.commands.forEach((command, i) => {
			value = evalCommand(command, dot, scope, inside, i === 0 ? [] : [value]);
		});
		for (const name of pipe.variables) {
			if (pipe.assign) assign(scope, name, value);
			else scope.push([name, value]);
		}
		return value;
	}

	/** `piped` is the value of the command before in the pipeline, the last argument. */
	function evalCommand(
		command: Command,
		dot: unknown,
		scope: Scope,
		inside: string,
		piped: unknown[],
	): unknown {
		const [first, ...rest] = command.args as [Operand, ...Operand[]];
		const args = (): unknown[] => [...rest.map((arg) => evalOperand(arg, dot, scope, inside)), ...piped];
		switch (first.kind) {
			case 'identifier':
				return callFunction(first.name, first, command, rest, dot, scope, inside, piped);
			case 'field':
				return evalFields(first, dot, first.names, inside, args());
			case 'variable': {
				const value = scope.findLast(([name]) => name === first.name)?.[1];
				if (first.names.length === 0 && rest.length + piped.length > 0) {
					fail(first, `can't give argument to non-function ${sourceOf(first)}`, inside);
				}
				return evalFields(first, value, first.names, inside, args());
			}
			case 'chain': {
				const value = evalOperand(first.operand, dot, scope, inside);
				return evalFields(first, value, first.names, inside, args());
			}
			default:
				if (rest.length + piped.length > 0)
					fail(first, `can't give argument to non-function ${sourceOf(first)}`, inside);
				if (first.kind === 'nil') fail(first, 'nil is not a command', inside);
				return evalOperand(first, dot, scope, inside);
		}
	}

	function evalOperand(node: Operand, dot: unknown, scope: Scope, inside: string): unknown {
		switch (node.kind) {
			case 'pipe':
				return evalPipe(node, dot, [...scope], inside);
			case 'dot':
				return dot;
			case 'nil':
				return undefined;
			case 'bool':
			case 'number':
			case 'string':
				return node.value;
			case 'identifier':
				return callFunction(node.name, node, node, [], dot, scope, inside, []);
			case 'field':
				return evalFields(node, dot, node.names, inside, []);
			case 'variable':
				return evalFields(node, scope.findLast(([name]) => name === node.name)?.[1], node.names, inside, []);
			case 'chain':
				return evalFields(node, evalOperand(node.operand, dot, scope, inside), node.names, inside, []);
		}
	}

	function evalFields(
		node: Operand,
		receiver: unknown,
		names: readonly string[],
		inside: string,
		args: unknown[],
	): unknown {
		let value = receiver;
		names.forEach((name, i) => {
			value = evalField(node, value, name, names[i - 1], inside, i === names.length - 1 ? args : []);
		});
		return value;
	}

	function evalField(
		node: Operand,
		receiver: unknown,
		name: string,
		parent: string | undefined,
		inside: string,
		args: unknown[],
	): unknown {
		const noArguments = (): void => {
			if (args.length > 0) fail(node, `${name} is not a method but has arguments`, inside);
		};
		if (receiver === null || receiver === undefined || receiver instanceof TypedNil) {
			if (options.missingKeyFails) fail(node, `nil data; no entry for key ${JSON.stringify(name)}`, inside);
			return undefined;
		}
		if (receiver instanceof Struct) {
			if (!Object.hasOwn(receiver.fields, name))
				fail(node, `can't evaluate field ${name} in type ${receiver.type}`, inside);
			const field = receiver.fields[name];
			if (typeof field !== 'function') {
				noArguments();
				return field;
			}
			if (field.length !== args.length) {
				fail(node, `wrong number of args for ${name}: want ${field.length} got ${args.length}`, inside);
			}
			return (field as (...values: unknown[]) => unknown)(...args);
		}
		if (isMap(receiver)) {
			// docker's headings have one method, `.Label "name"`.
			const heading = Object.hasOwn(receiver, name) ? receiver[name] : undefined;
			if (typeof heading === 'function') return (heading as (...values: unknown[]) => unknown)(...args);
			noArguments();
			if (!Object.hasOwn(receiver, name)) {
				const known = parent !== undefined && options.isMap?.(parent);
				if (options.missingKeyFails && !known)
					fail(node, `map has no entry for key ${JSON.stringify(name)}`, inside);
				return undefined;
			}
			const value = receiver[name];
			const text = value === null ? options.nilText?.(name) : undefined;
			return text === undefined ? value : new TypedNil(text);
		}
		// What comes out of JSON has no type of its own in Go.
		const type = options.missingKeyFails ? 'interface {}' : typeName(receiver);
		return fail(node, `can't evaluate field ${name} in type ${type}`, inside);
	}

	function callFunction(
		name: string,
		at: Operand,
		call: Command | Operand,
		rest: readonly Operand[],
		dot: unknown,
		scope: Scope,
		inside: string,
		piped: unknown[],
	): unknown {
		const fn = options.functions[name]!;
		const count = rest.length + piped.length;
		const [low, high] = fn.args;
		if (count < low || (high >= 0 && count > high)) {
			const want = low === high ? String(low) : `at least ${low}`;
			fail(at, `wrong number of args for ${name}: want ${want} got ${count}`, inside);
		}
		if (name === 'and' || name === 'or') {
			let value: unknown;
			for (const arg of rest) {
				value = evalOperand(arg, dot, scope, inside);
				if (isTrue(value) === (name === 'or')) return value;
			}
			return piped.length > 0 ? piped[0] : value;
		}
		const args = rest.map((arg) => evalOperand(arg, dot, scope, inside));
		try {
			return (fn.call as (...values: unknown[]) => unknown)(...args, ...piped);
		} catch (error) {
			if (error instanceof ArgumentError) {
				const [first] = rest;
				const constant = first && ['string', 'number', 'bool'].includes(first.kind);
				fail(first ?? at, constant ? error.constant(sourceOf(first)) : error.message, inside);
			}
			return fail(call, `error calling ${name}: ${(error as Error).message}`, inside);
		}
	}
}
