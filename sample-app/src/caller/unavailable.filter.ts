import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  Inject,
  ServiceUnavailableException,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AxiosError } from 'axios';
import { candidateOf, ServiceCombError } from 'nestjs-servicecomb';

/** Answers 503 with the reason when there is no greeter to call, or none answers. */
@Catch(ServiceCombError, AxiosError)
export class UnavailableFilter implements ExceptionFilter {
  constructor(@Inject(HttpAdapterHost) private readonly http: HttpAdapterHost) {}

  catch(error: ServiceCombError | AxiosError, host: ArgumentsHost): void {
    const answer = new ServiceUnavailableException(reasonOf(error));
    const response: unknown = host.switchToHttp().getResponse();
    this.http.httpAdapter.reply(response, answer.getResponse(), answer.getStatus());
  }
}

function reasonOf(error: ServiceCombError | AxiosError): string {
  const called = candidateOf(error)?.endpoint.text;
  return called === undefined
    ? error.message
    : `The greeter at ${called} does not answer: ${error.code ?? error.message}`;
}
