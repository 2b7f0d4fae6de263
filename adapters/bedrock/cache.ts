import type { PromptCaching } from '../../src/prompt-cache/types.ts';
import { messagesCaching } from '../anthropic/cache.ts';

/** Claude's prompt cache as Bedrock has it, in the Messages format. */
export const bedrockCaching: PromptCaching = messagesCaching('bedrock');
