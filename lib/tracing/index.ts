export { RegistryTracingModule, type RegistryTracingOptions } from './registry.tracing-module.js';
