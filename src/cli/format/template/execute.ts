/** Applies a template to data, as Go's text/template does. */
import {TemplateError} from '../../errors.ts';
import type {Parameter, TemplateFunction} from './functions.ts';
import {
	elements,
	entriesOf,
	fieldValue,
	hasKey,
	indirect,
	isTrue,
	mapElement,
	Struct,
	settled,
	Typed,
	typed,
	typeName,
	typeOf,
} from './go-value.ts';
import {type Command, type Node, type Operand, type Pipe, sourceOf, type Template} from './parse.ts';
import {goPrint} from './print.ts';
import {canBeNil, findField, floatType, type Method, stringType, typeOfText} from './types.ts';

export interface ExecuteOptions {
	functions: Readonly<Record<string, TemplateFunction>>;
	/** A key that a map doesn't have is an error, as in docker's inspect; otherwise `<no value>`. */
	missingKeyFails?: boolean;
}

class Jump {
	readonly kind: 'break' | 'continue';
	constructor(kind: 'break' | 'continue') {
		this.kind = kind;
	}
}

type Scope = [string, unknown][];

/** No value comes through the pipeline. */
const missing = Symbol('missing');

/** Deeper than any template goes on purpose, and less than the stack can hold. */
const maxDepth = 1000;

/** What fails inside of a function. */
type Place = Pipe | Command | Operand | {kind: 'include'; at: number; source: string};

/** Throws TemplateError with Go's words. */
export function execute(template: Template, data: unknown, options: ExecuteOptions): string {
	let out = '';
	let depth = 0;
	/** The name of the template that is executed, for errors. */
	let inside = template.name;
	walkList(template.root, data, [['$', data]]);
	return out;

	function fail(node: Place, message: string): never {
		const before = template.text.slice(0, node.at);
		const line = before.split('\n').length;
		const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
		const source = node.kind === 'include' ? node.source : sourceOf(node);
		throw new TemplateError(
			`template: ${template.name}:${line}:${column}: executing ${JSON.stringify(inside)} at <${source}>: ${message}`,
			out,
		);
	}

	function walkList(nodes: readonly Node[], dot: unknown, scope: Scope): void {
		for (const node of nodes) walk(node, dot, scope);
	}

	function walk(node: Node, dot: unknown, scope: Scope): void {
		switch (node.kind) {
			case 'text':
				out += node.text;
				break;
			case 'action': {
				const value = evalPipe(node.pipe, dot, scope);
				if (node.pipe.variables.length === 0) out += shown(node.pipe, value);
				break;
			}
			case 'break':
			case 'continue':
				throw new Jump(node.kind);
			case 'if':
			case 'with': {
				const mark = scope.length;
				const value = evalPipe(node.pipe, dot, scope);
				if (isTrue(value)) walkList(node.list, node.kind === 'with' ? value : dot, scope);
				else if (node.elseList) walkList(node.elseList, dot, scope);
				scope.length = mark;
				break;
			}
			case 'range':
				walkRange(node.pipe, node.list, node.elseList, dot, scope);
				break;
			case 'template':
				walkTemplate(node, dot, scope);
		}
	}

	function shown(node: Pipe, value: unknown): string {
		const target = indirect(value).value;
		const type = typeOf(target);
		if (!type) return '<no value>';
		if (type.kind === 'func') fail(node, `can't print ${sourceOf(node)} of type ${type.name}`);
		return goPrint(target);
	}

	function walkTemplate(node: Node & {kind: 'template'}, dot: unknown, scope: Scope): void {
		const place = {kind: 'include', at: node.at, source: node.source} as const;
		const body = template.defined.get(node.name);
		if (!body) fail(place, `template ${JSON.stringify(node.name)} not defined`);
		if (depth === maxDepth) fail(place, 'exceeded maximum template depth (100000)');
		depth++;
		const value = node.pipe ? evalPipe(node.pipe, dot, scope) : undefined;
		const outer = inside;
		inside = node.name;
		walkList(body!, value, [['$', value]]);
		inside = outer;
		depth--;
	}

	function walkRange(
		pipe: Pipe,
		list: readonly Node[],
		elseList: readonly Node[] | undefined,
		dot: unknown,
		scope: Scope,
	): void {
		const mark = scope.length;
		// The variables are set for each element, not for the pipeline's value.
		const {value} = indirect(evalPipe(pipe, dot, scope));
		const type = typeOf(value);
		let any = false;
		const names = pipe.variables;
		for (const [key, element] of rangeOf(pipe, value, type?.kind)) {
			any = true;
			const values = names.length === 2 ? [key, element] : [element];
			for (const [at, name] of names.entries()) {
				if (pipe.assign) setVariable(pipe, scope, name, values[at]);
				else scope[mark + at] = [name, values[at]];
			}
			const inner = scope.length;
			try {
				walkList(list, element, scope);
			} catch (error) {
				if (!(error instanceof Jump)) throw error;
				if (error.kind === 'break') break;
			} finally {
				scope.length = inner;
			}
		}
		if (!any && elseList) walkList(elseList, dot, scope);
		scope.length = mark;
	}

	function* rangeOf(pipe: Pipe, value: unknown, kind: string | undefined): Iterable<[unknown, unknown]> {
		switch (kind) {
			case undefined:
				return;
			case 'array':
			case 'slice':
				yield* elements(value).entries();
				return;
			case 'map':
				yield* entriesOf(value);
				return;
			case 'int':
			case 'uint': {
				const last = pipe.commands.at(-1)!;
				if (pipe.variables.length > 1)
					fail(last.args[0]!, `can't use ${goPrint(value)} to iterate over more than one variable`);
				for (let at = 0; at < Number(goPrint(value)); at++) yield [at, at];
				return;
			}
			default:
				// Go names what it looked at last.
				fail(pipe.commands.at(-1)!.args[0]!, `range can't iterate over ${goPrint(value)}`);
		}
	}

	function setVariable(place: Place, scope: Scope, name: string, value: unknown): void {
		const entry = scope.findLast(([known]) => known === name);
		if (!entry) fail(place, `undefined variable: ${name}`);
		else entry[1] = value;
	}

	function variable(scope: Scope, node: Operand & {kind: 'variable'}): unknown {
		const entry = scope.findLast(([name]) => name === node.name);
		if (!entry) return fail(node, `undefined variable: ${node.name}`);
		return entry[1];
	}

	function evalPipe(pipe: Pipe, dot: unknown, scope: Scope): unknown {
		let value: unknown = missing;
		for (const command of pipe.commands) value = settled(evalCommand(command, dot, scope, value));
		for (const name of pipe.variables) {
			if (pipe.assign) setVariable(pipe.commands.at(-1)!.args.at(-1)!, scope, name, value);
			else scope.push([name, value]);
		}
		return value;
	}

	/** `final` is the value of the command before in the pipeline, the last argument. */
	function evalCommand(command: Command, dot: unknown, scope: Scope, final: unknown): unknown {
		const [first, ...rest] = command.args as [Operand, ...Operand[]];
		switch (first.kind) {
			case 'field':
				return evalFields(first, dot, first.names, dot, scope, rest, final);
			case 'chain':
				return evalChain(first, dot, scope, rest, final);
			case 'identifier':
				return evalFunction(first, command, rest, dot, scope, final);
			case 'variable': {
				const value = variable(scope, first);
				if (first.names.length > 0) return evalFields(first, value, first.names, dot, scope, rest, final);
				noArguments(first, rest, final);
				return value;
			}
			default:
				noArguments(first, rest, final);
				if (first.kind === 'nil') fail(first, 'nil is not a command');
				return evalOperand(first, dot, scope);
		}
	}

	function noArguments(first: Operand, rest: readonly Operand[], final: unknown): void {
		if (rest.length > 0 || final !== missing)
			fail(first, `can't give argument to non-function ${sourceOf(first)}`);
	}

	function evalOperand(node: Operand, dot: unknown, scope: Scope): unknown {
		switch (node.kind) {
			case 'pipe':
				return evalPipe(node, dot, scope);
			case 'dot':
				return dot;
			case 'nil':
				return undefined;
			case 'bool':
			case 'string':
				return node.value;
			case 'number':
				return constant(node);
			case 'identifier':
				return evalFunction(node, node, [], dot, scope, missing);
			case 'field':
				return evalFields(node, dot, node.names, dot, scope, [], missing);
			case 'variable':
				return evalFields(node, variable(scope, node), node.names, dot, scope, [], missing);
			case 'chain':
				return evalChain(node, dot, scope, [], missing);
		}
	}

	function constant(node: Operand & {kind: 'number'}): unknown {
		if (node.float) return new Typed(floatType, node.value);
		if (typeof node.value === 'bigint' && (node.value > 2n ** 63n - 1n || node.value < -(2n ** 63n)))
			fail(node, `${node.source} overflows int`);
		return node.value;
	}

	function evalChain(
		node: Operand & {kind: 'chain'},
		dot: unknown,
		scope: Scope,
		rest: readonly Operand[],
		final: unknown,
	): unknown {
		if (node.operand.kind === 'nil') fail(node, `indirection through explicit nil in ${sourceOf(node)}`);
		return evalFields(node, evalOperand(node.operand, dot, scope), node.names, dot, scope, rest, final);
	}

	function evalFields(
		node: Operand,
		receiver: unknown,
		names: readonly string[],
		dot: unknown,
		scope: Scope,
		rest: readonly Operand[],
		final: unknown,
	): unknown {
		let value = receiver;
		for (const [at, name] of names.entries()) {
			const last = at === names.length - 1;
			value = evalField(node, value, name, dot, scope, last ? rest : [], last ? final : missing);
		}
		return value;
	}

	function evalField(
		node: Operand,
		given: unknown,
		name: string,
		dot: unknown,
		scope: Scope,
		rest: readonly Operand[],
		final: unknown,
	): unknown {
		if (typeOf(given) === undefined) {
			if (options.missingKeyFails) fail(node, `nil data; no entry for key ${JSON.stringify(name)}`);
			return undefined;
		}
		if (given instanceof Struct) return contextField(node, given, name, dot, scope, rest, final);
		// The type that errors name is the one before pointers are followed.
		const type = typeName(given);
		const {value: receiver, nil} = indirect(given);
		const own = typeOf(receiver)!;
		if (own.kind === 'interface') fail(node, `nil pointer evaluating ${type}.${name}`);
		if (receiver instanceof Struct) return contextField(node, receiver, name, dot, scope, rest, final);
		const method = own.methods?.[name];
		if (method && receiver instanceof Typed)
			return callMethod(node, name, method, receiver.data, dot, scope, rest, final);
		const hasArguments = rest.length > 0 || final !== missing;
		if (own.kind === 'struct') {
			const path = findField(own, name);
			if (path) {
				if (hasArguments) fail(node, `${name} has arguments but cannot be invoked as function`);
				return fieldValue(receiver, path);
			}
		} else if (own.kind === 'map' && own.key!.name === 'string') {
			// docker's headings have one method, `.Label "name"`.
			const heading = receiver instanceof Typed ? undefined : (receiver as Record<string, unknown>)[name];
			if (typeof heading === 'function') {
				const args = argumentsOf(node, name, {params: ['string']}, dot, scope, rest, final);
				return (heading as (...values: unknown[]) => unknown)(...args);
			}
			if (hasArguments) fail(node, `${name} is not a method but has arguments`);
			if (hasKey(receiver, name)) return mapElement(receiver, name);
			if (options.missingKeyFails) fail(node, `map has no entry for key ${JSON.stringify(name)}`);
			return undefined;
		} else if (own.kind === 'pointer' && nil && (own.elem!.kind !== 'struct' || findField(own.elem!, name))) {
			fail(node, `nil pointer evaluating ${type}.${name}`);
		}
		return fail(node, `can't evaluate field ${name} in type ${type}`);
	}

	/** A formatter's context: everything that it has is a method. */
	function contextField(
		node: Operand,
		context: Struct,
		name: string,
		dot: unknown,
		scope: Scope,
		rest: readonly Operand[],
		final: unknown,
	): unknown {
		if (!Object.hasOwn(context.fields, name))
			fail(node, `can't evaluate field ${name} in type ${context.type}`);
		const field = context.fields[name];
		const params =
			typeof field === 'function' ? Array.from({length: field.length}, () => 'string' as const) : [];
		const args = argumentsOf(node, name, {params}, dot, scope, rest, final);
		return typeof field === 'function' ? (field as (...values: unknown[]) => unknown)(...args) : field;
	}

	function callMethod(
		node: Operand,
		name: string,
		method: Method,
		receiver: unknown,
		dot: unknown,
		scope: Scope,
		rest: readonly Operand[],
		final: unknown,
	): unknown {
		const params = method.params as readonly Parameter[];
		const args = argumentsOf(node, name, {params}, dot, scope, rest, final);
		return (method.call as (data: unknown, ...values: unknown[]) => unknown)(receiver, ...args);
	}

	function evalFunction(
		node: Operand & {kind: 'identifier'},
		call: Command | Operand,
		rest: readonly Operand[],
		dot: unknown,
		scope: Scope,
		final: unknown,
	): unknown {
		const {name} = node;
		const fn = options.functions[name]!;
		countArguments(node, name, fn, rest, final);
		if (name === 'and' || name === 'or') {
			let value: unknown;
			for (const arg of rest) {
				value = argument(arg, 'any', dot, scope);
				if (isTrue(value) === (name === 'or')) return value;
			}
			return final === missing ? value : final;
		}
		const args = argumentsOf(node, name, fn, dot, scope, rest, final);
		if (name === 'call') {
			const callee = rest[0] ? sourceOf(rest[0]) : goPrint(final);
			const what = typeOf(args[0]) ? `non-function ${callee} of type ${typeName(args[0])}` : 'call of nil';
			return fail(call, `error calling call: ${what}`);
		}
		try {
			return (fn.call as (...values: unknown[]) => unknown)(...args);
		} catch (error) {
			return fail(call, `error calling ${name}: ${(error as Error).message}`);
		}
	}

	function countArguments(
		node: Operand,
		name: string,
		{params, variadic}: Pick<TemplateFunction, 'params' | 'variadic'>,
		rest: readonly Operand[],
		final: unknown,
	): void {
		const count = rest.length + (final === missing ? 0 : 1);
		if (variadic !== undefined) {
			if (count < params.length)
				fail(node, `wrong number of args for ${name}: want at least ${params.length} got ${rest.length}`);
		} else if (count !== params.length) {
			fail(node, `wrong number of args for ${name}: want ${params.length} got ${count}`);
		}
	}

	function argumentsOf(
		node: Operand,
		name: string,
		fn: Pick<TemplateFunction, 'params' | 'variadic'>,
		dot: unknown,
		scope: Scope,
		rest: readonly Operand[],
		final: unknown,
	): unknown[] {
		countArguments(node, name, fn, rest, final);
		const parameter = (at: number): Parameter => fn.params[at] ?? fn.variadic ?? 'any';
		const values = rest.map((arg, at) => argument(arg, parameter(at), dot, scope));
		if (final !== missing) values.push(fitting(rest.at(-1) ?? node, final, parameter(rest.length)));
		return values;
	}

	/** The value of an argument as its parameter takes it. */
	function argument(node: Operand, parameter: Parameter, dot: unknown, scope: Scope): unknown {
		if (
			parameter === 'any' ||
			['dot', 'field', 'variable', 'pipe', 'identifier', 'chain'].includes(node.kind)
		)
			return fitting(node, evalOperand(node, dot, scope), parameter);
		const type = typeOfText(parameter);
		if (node.kind === 'nil') {
			if (canBeNil(type)) return typed(type, undefined);
			fail(node, `cannot assign nil to ${type.name}`);
		}
		const source = sourceOf(node);
		switch (type.kind) {
			case 'bool':
				return node.kind === 'bool' ? node.value : fail(node, `expected bool; found ${source}`);
			case 'string':
				return node.kind === 'string' ? node.value : fail(node, `expected string; found ${source}`);
			case 'int':
				if (node.kind !== 'number' || !Number.isInteger(Number(node.value)))
					fail(node, `expected integer; found ${source}`);
				return Number((node as {value: number}).value);
			default:
				return fail(node, `can't handle ${source} for arg of type ${type.name}`);
		}
	}

	function fitting(node: Operand, given: unknown, parameter: Parameter): unknown {
		if (parameter === 'any') return settled(given);
		const wanted = typeOfText(parameter);
		let value = given;
		if (typeOf(value) === undefined) {
			if (canBeNil(wanted)) return typed(wanted, undefined);
			fail(node, `invalid value; expected ${wanted.name}`);
		}
		if (typeOf(value)!.kind === 'interface' && typeOf(settled(value))) value = settled(value);
		const type = typeOf(value)!;
		if (type.name === wanted.name) return value;
		// A list of texts with a name of its own is one; a named text is not.
		if (wanted.kind === 'slice' && type.kind === 'slice' && type.elem === stringType) return value;
		if (type.kind === 'pointer' && type.elem?.name === wanted.name) {
			const {value: inner, nil} = indirect(value);
			if (nil) fail(node, `dereference of nil pointer of type ${wanted.name}`);
			return inner;
		}
		return fail(node, `wrong type for value; expected ${wanted.name}; got ${type.name}`);
	}
}
