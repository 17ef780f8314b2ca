// src/operations.module.ts
import { Module } from '@nestjs/common';
import { RegistryAdminModule } from '../../lib/index.js';
import { OperatorGuard } from './operator.guard.js';

@Module({
  imports: [RegistryAdminModule.forRoot({ path: 'ops/registry', guards: [OperatorGuard] })],
})
export class OperationsModule {}
