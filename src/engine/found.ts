import type { EngineReport, EngineSurvey, SelfTestResult } from '../protocol/engines';
import type { Unworded } from '../remedy/worded';

/** An engine as it was found, its remedy in the words of no face yet. */
export type FoundEngine = Unworded<EngineReport>;
export type FoundSurvey = Unworded<EngineSurvey>;

/** What a test of an engine told. */
export type TestedEngine = Unworded<SelfTestResult>;
