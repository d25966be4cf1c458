/**
 * Splits a face into a few files that are loaded one by one. V8 takes a code cache into memory whole, and the
 * engine's would cost every command 5 ms more than the part that it needs. esbuild splits only ES modules, and
 * loading a hundred of those is slow too, so its chunks become functions in a few CommonJS files:
 *
 *   const chunks = {'chunk-ABC.js'(exports, require, module) {...}, ...}
 */
import {basename} from 'node:path';
import {build, transform} from 'esbuild';

/** esbuild puts these before each chunk that needs them; once a file is enough. */
const helpers = `
var __create=Object.create,__defProp=Object.defineProperty,__getOwnPropDesc=Object.getOwnPropertyDescriptor,
__getOwnPropNames=Object.getOwnPropertyNames,__getProtoOf=Object.getPrototypeOf,
__hasOwnProp=Object.prototype.hasOwnProperty;
var __export=(target,all)=>{for(var name in all)__defProp(target,name,{get:all[name],enumerable:!0})};
var __copyProps=(to,from,except,desc)=>{
if(from&&typeof from=="object"||typeof from=="function")for(let key of __getOwnPropNames(from))
!__hasOwnProp.call(to,key)&&key!==except&&__defProp(to,key,{get:()=>from[key],
enumerable:!(desc=__getOwnPropDesc(from,key))||desc.enumerable});
return to};
var __toESM=(mod,isNodeMode,target)=>(target=mod!=null?__create(__getProtoOf(mod)):{},
__copyProps(isNodeMode||!mod||!mod.__esModule?__defProp(target,"default",{value:mod,enumerable:!0}):target,mod));
var __toCommonJS=mod=>__copyProps(__defProp({},"__esModule",{value:!0}),mod);
`.replaceAll('\n', '');
const helperNames = [
	...['__create', '__defProp', '__getOwnPropDesc', '__getOwnPropNames', '__getProtoOf', '__hasOwnProp'],
	...['__export', '__copyProps', '__toESM', '__toCommonJS'],
];

/** `groups`: file name to the sources whose chunks, and all that these import, go there; the last gets the rest. */
export async function bundleChunks(options, groups) {
	const {metafile, outputFiles} = await build({
		...options,
		format: 'esm',
		splitting: true,
		outdir: 'chunks',
		write: false,
		metafile: true,
	});
	const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
	const code = new Map();
	for (const {path, text} of outputFiles) {
		const converted = await transform(text, {
			format: 'cjs',
			platform: 'node',
			target: options.target,
			charset: 'ascii',
			minifyWhitespace: true,
			minifySyntax: true,
			supported: {'dynamic-import': false},
		});
		code.set(basename(path), withoutHelpers(converted.code));
	}

	const placed = new Map();
	const place = (chunk, group) => {
		if (!outputs.has(chunk) || placed.has(chunk)) return;
		placed.set(chunk, group);
		for (const {path, kind} of outputs.get(chunk).imports) {
			if (kind === 'import-statement') place(basename(path), group);
		}
	};
	const names = Object.keys(groups);
	for (const [group, sources] of Object.entries(groups)) {
		for (const [chunk, {entryPoint}] of outputs) {
			if (entryPoint && sources.some((source) => entryPoint.endsWith(source))) place(chunk, group);
		}
	}
	for (const chunk of outputs.keys()) place(chunk, names.at(-1));

	const entry = [...outputs].find(([, {entryPoint}]) => entryPoint?.endsWith(groups[names[0]][0]))[0];
	const elsewhere = Object.fromEntries([...placed].filter(([, group]) => group !== names[0]));
	const files = new Map();
	for (const group of names) {
		const chunks = [...placed].filter(([, where]) => where === group).map(([chunk]) => chunk);
		const functions = chunks.map(
			(chunk) => `${JSON.stringify(chunk)}(exports,require,module){${code.get(chunk)}}`,
		);
		const table = `{${functions.join(',\n')}}`;
		const head = `"use strict";${options.banner?.js ?? ''}${helpers}`;
		files.set(
			group,
			group === names[0]
				? `${head}const chunks=${table};const elsewhere=${JSON.stringify(elsewhere)};${loader(entry)}`
				: `${head}exports.chunks=${table};`,
		);
	}
	return files;
}

/** What the first file does: it runs chunks when they are required, wherever they are. */
const loader = (entry) => `
const modules=new Map();
function load(id){
if(!id.startsWith('./')||!id.endsWith('.js'))return require(id);
const name=id.slice(2);
let module=modules.get(name);
if(module)return module.exports;
const chunk=chunks[name]??require('./'+elsewhere[name]+'.cjs').chunks[name];
module={exports:{}};
modules.set(name,module);
chunk(module.exports,load,module);
return module.exports;
}
module.exports=load('./${entry}');`;

/** Takes esbuild's own helpers, which stand before the exports, out of a chunk. One with others keeps them. */
function withoutHelpers(text) {
	const end = text.indexOf('var stdin_exports=');
	if (end < 0) return text;
	const declared = [...text.slice(0, end).matchAll(/(?:^|[,;}]|var )(__[A-Za-z]+)=/g)].map(
		([, name]) => name,
	);
	return declared.every((name) => helperNames.includes(name)) ? text.slice(end) : text;
}
